namespace Cerver.Api.Meta;

/// <summary>What answers at this address.</summary>
public sealed record GatewayInfo
{
    /// <summary>Always <c>cerver</c>.</summary>
    public required string Name { get; init; }

    /// <summary>The version of the gateway.</summary>
    public required string Version { get; init; }

    /// <summary>The API reference for people.</summary>
    public required string Docs { get; init; }

    /// <summary>The API reference for programs.</summary>
    public required string Openapi { get; init; }

    /// <summary>Where things are, by name.</summary>
    public required IReadOnlyDictionary<string, string> Endpoints { get; init; }
}

/// <summary>Whether the gateway is well.</summary>
public sealed record HealthAnswer
{
    /// <summary><c>ok</c>, <c>ready</c> or <c>not_ready</c>.</summary>
    public required string Status { get; init; }

    /// <summary>What stands in the way; null when nothing does.</summary>
    public required string? Reason { get; init; }
}
