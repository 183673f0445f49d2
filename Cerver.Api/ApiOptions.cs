using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Options;

namespace Cerver.Api;

/// <summary>What the front door accepts and holds in memory.</summary>
public sealed class ApiOptions
{
    /// <summary>The configuration section.</summary>
    public const string Section = "Cerver:Api";

    /// <summary>Whether a silo serves the API too. If not, it answers the probes and nothing else, and front doors serve the API.</summary>
    public bool Enabled { get; set; } = true;

    /// <summary>The largest request body, in bytes.</summary>
    [Range(1_024, 1_073_741_824)]
    public int MaxBodyBytes { get; set; } = 8 * 1_024 * 1_024;

    /// <summary>The largest file that is imported, in bytes.</summary>
    [Range(1_024, 1_073_741_824)]
    public int MaxImportBytes { get; set; } = 64 * 1_024 * 1_024;

    /// <summary>Entries of a session that is imported.</summary>
    [Range(1, 1_000_000)]
    public int MaxImportEntries { get; set; } = 100_000;

    /// <summary>Imports that are read at once, each of which is in memory. Others wait.</summary>
    [Range(1, 64)]
    public int MaxConcurrentImports { get; set; } = 4;

    /// <summary>How much output of a run one answer carries, in bytes. What is beyond it can still be read from the run's stream.</summary>
    [Range(1_024, 134_217_728)]
    public int MaxFoldedOutputBytes { get; set; } = 8 * 1_024 * 1_024;

    /// <summary>Machines that may be connected to this process at once. Others are refused with 503.</summary>
    [Range(1, 1_000_000)]
    public int MaxMachines { get; set; } = 10_000;

    /// <summary>
    /// Whether a proxy before the gateway sets <c>X-Forwarded-Proto</c> and <c>X-Forwarded-Host</c>, whatever its clients send. The pages for agents have the
    /// address that these say then.
    /// </summary>
    public bool TrustProxy { get; set; }
}

/// <summary>Refuses to start with limits out of range.</summary>
[OptionsValidator]
internal sealed partial class ApiOptionsValidator : IValidateOptions<ApiOptions>;
