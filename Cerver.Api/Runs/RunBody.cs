using System.ComponentModel.DataAnnotations;
using System.Text.Json.Serialization;

namespace Cerver.Api.Runs;

/// <summary>Runs code in the session's sandbox.</summary>
public sealed record RunBody
{
    /// <summary>What to run, at most 256 KiB.</summary>
    [Required]
    public string? Code { get; set; }

    /// <summary>
    /// How long it may take, in seconds, 1 to 86,400; 30 when left out. Its processes are ended then and the run says so.
    /// </summary>
    [Range(1, 86_400)]
    [JsonConverter(typeof(RunTimeoutConverter))]
    public double? Timeout { get; set; }

    /// <summary>Variables for this run alone, at most 64 KiB together. They are recorded nowhere.</summary>
    public IReadOnlyDictionary<string, string?>? Envs { get; set; }

    /// <summary>The same as <c>envs</c>, which goes first.</summary>
    public IReadOnlyDictionary<string, string?>? Env { get; set; }

    /// <summary>
    /// The names of secrets that are put into its environment, at most 50, beside those of the session. A variable of <c>envs</c> with the same name goes
    /// first. Their values are recorded nowhere and redacted from what the run prints.
    /// </summary>
    [MaxLength(50)]
    public string?[]? Secrets { get; set; }

    /// <summary>What executes it: <c>shell</c>, <c>node</c> or <c>python</c>; the session's own when left out.</summary>
    [AllowedValues("shell", "node", "python")]
    public string? Runtime { get; set; }
}
