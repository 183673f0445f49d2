namespace Cerver.Silo;

/// <summary>The gateway cannot start, and the message says in one sentence what to do about it.</summary>
internal sealed class GatewayStartException(string message) : Exception(message);
