using Cerver.Api.Computes;
using Cerver.Api.Secrets;
using Cerver.Computes;
using Cerver.Errors;
using Cerver.Sessions;

namespace Cerver.Api.Sessions;

/// <summary>Turns the body of a create call, with all its ways to say the same, into the one that grains know.</summary>
internal static class CreateSessionReader
{
    private const int MaxAllowedProviders = 20;

    /// <summary>The session that is asked for.</summary>
    /// <exception cref="CerverException"><see cref="CerverError.InvalidRequest"/> names the field at fault.</exception>
    public static CreateSession Read(CreateSessionBody body) => new(
        body.SessionName,
        body.SessionType,
        body.Task,
        body.Workload,
        body.Harness,
        ReadCompute(body),
        ReadAllowedProviders(body.Policy?.AllowedProviders),
        body.Requirements,
        body.Metadata,
        ReadParent(body.ParentSessionId),
        SecretNames.Read(body.Secrets));

    private static ComputeChoice ReadCompute(CreateSessionBody body) => body switch
    {
        { SessionType: "transcript" or "chat" } => ComputeChoice.None,
        { Compute: { } choice } => choice,
        { TargetComputeId: { } target } => ComputeWords.Parse(target, "target_compute_id"),
        { Policy.PinnedProvider: { } pinned } => new(ComputeChoiceKind.Provider, ComputeWords.ParseProvider(pinned, "policy.pinned_provider")),
        _ => ComputeChoice.Any,
    };

    private static ImmutableArray<string> ReadAllowedProviders(string?[]? words) => words switch
    {
        null => [],
        { Length: > MaxAllowedProviders } => throw new CerverException(
            CerverError.InvalidRequest, $"'policy.allowed_providers' must hold at most {MaxAllowedProviders} providers.", "policy.allowed_providers"),
        _ => [.. words.Select(static (word, index) => ComputeWords.ParseProvider(word, $"policy.allowed_providers[{index}]"))],
    };

    private static string? ReadParent(string? sessionId) => sessionId is null || Ids.IsSession(sessionId)
        ? sessionId
        : throw new CerverException(CerverError.InvalidRequest, "'parent_session_id' must be the id of a session.", "parent_session_id");
}
