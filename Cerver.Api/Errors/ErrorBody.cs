using System.Text.Json.Serialization;
using Cerver.Api.Answers;

namespace Cerver.Api.Errors;

/// <summary>What every call that is refused answers.</summary>
public sealed record ErrorBody
{
    /// <summary>One sentence for people that says what to do.</summary>
    public required string Error { get; init; }

    /// <summary>The word that programs switch on.</summary>
    public required string Code { get; init; }

    /// <summary>The request field or query parameter at fault, such as <c>entries[0].content</c>.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Field { get; init; }

    /// <summary>With <c>no_compute</c>: what each compute lacks.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public ComputeReportBody? Report { get; init; }

    /// <summary>With <c>run_lost</c>: the run, whose output up to then can still be read.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? RunId { get; init; }

    /// <summary>With <c>conflict</c> of an append that expected another length: how many entries the transcript has.</summary>
    [JsonPropertyName("transcriptTotal")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public long? TranscriptTotal { get; init; }

    /// <summary>With <c>internal</c>: what to tell the operator, whose log has the rest.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? TraceId { get; init; }
}

/// <summary>Why no compute could take a session.</summary>
public sealed record ComputeReportBody
{
    /// <summary>The requirements as they were sent, or null.</summary>
    [JsonConverter(typeof(RawJsonConverter))]
    public required string? Requirements { get; init; }

    /// <summary>Every compute that was looked at.</summary>
    public required ImmutableArray<ComputeCandidateBody> Candidates { get; init; }
}

/// <summary>One compute that was looked at.</summary>
public sealed record ComputeCandidateBody
{
    /// <summary>The provider's name.</summary>
    public required string Provider { get; init; }

    /// <summary>The compute's id, or null for a provider that this gateway does not have.</summary>
    public required string? ComputeId { get; init; }

    /// <summary>Whether it is usable as such.</summary>
    public required bool Ready { get; init; }

    /// <summary>What stands against it, a sentence each.</summary>
    public required ImmutableArray<string> Reasons { get; init; }
}
