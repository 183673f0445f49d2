using System.Text.Json.Serialization;
using Cerver.Api.Requests;

namespace Cerver.Api.Mcp;

/// <summary>What a tool without arguments is called with.</summary>
internal sealed record NoArguments;

/// <summary>Which sessions to list.</summary>
internal sealed record ListArguments
{
    public string? Status { get; set; }

    public int? Limit { get; set; }

    public string? Cursor { get; set; }

    public string? Source { get; set; }

    public string? Harness { get; set; }

    public string? Provider { get; set; }

    public string? Q { get; set; }

    public DateTimeOffset? Since { get; set; }

    public DateTimeOffset? Until { get; set; }
}

/// <summary>Whether to erase what a session leaves.</summary>
internal sealed record EndArguments
{
    public bool? Purge { get; set; }
}

/// <summary>Which entries to look at.</summary>
internal sealed record PeekArguments
{
    public int? LastN { get; set; }

    public long? FromIndex { get; set; }

    public string? Cursor { get; set; }
}

/// <summary>Where to go on with a transcript.</summary>
internal sealed record ExportArguments
{
    public string? Cursor { get; set; }
}

/// <summary>Which secret to fetch.</summary>
internal sealed record SecretArguments
{
    public string? Name { get; set; }

    public string? SessionId { get; set; }
}

/// <summary>What to look for.</summary>
internal sealed record SearchArguments
{
    public string? Q { get; set; }

    public int? Limit { get; set; }

    public string? Cursor { get; set; }

    public string? Role { get; set; }

    public string? Kind { get; set; }

    public string? Harness { get; set; }

    [JsonConverter(typeof(TimestampConverter))]
    public DateTimeOffset? Since { get; set; }

    [JsonConverter(typeof(TimestampConverter))]
    public DateTimeOffset? Until { get; set; }

    public string? Source { get; set; }

    public string? SessionId { get; set; }
}
