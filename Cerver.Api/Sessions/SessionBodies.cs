using System.ComponentModel.DataAnnotations;
using System.Text.Json.Serialization;
using Cerver.Api.Computes;
using Cerver.Api.Requests;
using Cerver.Computes;

namespace Cerver.Api.Sessions;

/// <summary>Creates a session. Every field may be left out; fields that are not listed here are ignored.</summary>
public sealed record CreateSessionBody
{
    /// <summary>For people, at most 200 characters. Made from the task when it is left out.</summary>
    public string? SessionName { get; set; }

    /// <summary><c>transcript</c> and <c>chat</c> get no compute, whatever <c>compute</c> says. Any other word is kept as it is.</summary>
    public string? SessionType { get; set; }

    /// <summary>What the session is about. A description, not a prompt: nothing runs because of it.</summary>
    public string? Task { get; set; }

    /// <summary>A word of your own for the kind of work.</summary>
    public string? Workload { get; set; }

    /// <summary>
    /// The agent program that drives the session: a word such as <c>claude</c>, or an object with the word as its <c>type</c>.
    /// </summary>
    [JsonConverter(typeof(HarnessConverter))]
    public string? Harness { get; set; }

    /// <summary>
    /// What the session runs on: a provider's name, a compute's id, an object that names either, or null or <c>none</c> for no compute.
    /// Left out, the first ready compute that fits the requirements is taken.
    /// </summary>
    [JsonConverter(typeof(ComputeChoiceConverter))]
    public ComputeChoice? Compute { get; set; }

    /// <summary>The same as <c>compute</c>, which goes first.</summary>
    public string? TargetComputeId { get; set; }

    /// <summary>How compute is chosen.</summary>
    public ComputePolicyBody? Policy { get; set; }

    /// <summary>
    /// What the compute must have: <c>runtime</c> (<c>shell</c>, <c>node</c> or <c>python</c>), <c>network</c>, <c>timeout_minutes</c> (how
    /// long nothing may happen until the sandbox goes down, more than 0 and at most 43200; 15 unless the operator set another time),
    /// <c>capabilities</c> (a list of <c>stdin</c>, <c>reattach</c>, <c>replay</c>, <c>pause</c>, <c>snapshot</c>, <c>files</c>, <c>ports</c>: what a
    /// compute in <c>/v2/computes</c> must say of itself), and more that is kept as it is.
    /// </summary>
    [JsonConverter(typeof(JsonObjectConverter))]
    public string? Requirements { get; set; }

    /// <summary>
    /// The names of secrets that are put into the environment of each of its runs, at most 50. They stand in the record as
    /// <c>requirements.secrets</c>; values are recorded nowhere. They are looked for when a run begins.
    /// </summary>
    [MaxLength(50)]
    public string?[]? Secrets { get; set; }

    /// <summary>Notes of your own, at most 64 KiB. Lists can be filtered by the <c>source</c> in it.</summary>
    [JsonConverter(typeof(JsonObjectConverter))]
    public string? Metadata { get; set; }

    /// <summary>The session that starts this one.</summary>
    public string? ParentSessionId { get; set; }
}

/// <summary>How compute is chosen when <c>compute</c> is left out.</summary>
public sealed record ComputePolicyBody
{
    /// <summary>The one provider to take.</summary>
    public string? PinnedProvider { get; set; }

    /// <summary>The providers to choose from; empty means all.</summary>
    public string?[]? AllowedProviders { get; set; }
}

/// <summary>Changes a session's name or its metadata. A field that is left out stays as it is.</summary>
public sealed record UpdateSessionBody
{
    /// <summary>For people, at most 200 characters.</summary>
    public string? SessionName { get; set; }

    /// <summary>Members to set; null removes one. Members that are not named stay.</summary>
    [JsonConverter(typeof(JsonObjectConverter))]
    public string? Metadata { get; set; }
}

/// <summary>What the user says next.</summary>
public sealed record InputBody
{
    /// <summary>The text, at most 1 MiB.</summary>
    [Required]
    public string? Content { get; set; }

    /// <summary>Only <c>user</c>; other roles speak through <c>/transcript</c>.</summary>
    [AllowedValues("user")]
    public string? Role { get; set; }
}

/// <summary>What a relay says of the agent that it drives.</summary>
public sealed record ReportStatusBody
{
    /// <summary>`running`, `idle` or `ended`, or a synonym of them.</summary>
    [Required]
    public string? Status { get; set; }

    /// <summary>Why, at most 2,000 characters.</summary>
    public string? EndReason { get; set; }
}

/// <summary>Brings a session's compute up again.</summary>
public sealed record ResumeBody
{
    /// <summary>Other compute than before; null or left out takes what the session had.</summary>
    [JsonConverter(typeof(ResumeComputeConverter))]
    public ComputeChoice? Compute { get; set; }
}

/// <summary>Puts other compute under a session.</summary>
public sealed record ChangeComputeBody
{
    /// <summary>What the session goes on with; null for no compute.</summary>
    [Required]
    [JsonConverter(typeof(ComputeChoiceConverter))]
    public ComputeChoice? Compute { get; set; }
}

/// <summary>Puts other compute under a session: the first of a list that can take it.</summary>
public sealed record PrioritizeComputeBody
{
    /// <summary>Provider names or compute ids, the best first, 1 to 20.</summary>
    [Required, Length(1, 20)]
    public string?[]? ComputePriority { get; set; }
}
