namespace Cerver.Api.Hosting;

/// <summary>The gateway cannot start, and the message says in one sentence what to do about it.</summary>
/// <param name="message">The sentence.</param>
/// <param name="mayPass">Whether another start, a moment later, may go well without anybody's doing.</param>
internal sealed class GatewayStartException(string message, bool mayPass = false) : Exception(message)
{
    /// <summary>Whether another start, a moment later, may go well without anybody's doing.</summary>
    public bool MayPass { get; } = mayPass;
}
