using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Options;

namespace Cerver.Api;

/// <summary>What the front door accepts and holds in memory.</summary>
public sealed class ApiOptions
{
    /// <summary>The configuration section.</summary>
    public const string Section = "Cerver:Api";

    /// <summary>The largest request body in bytes, 1 KiB .. 1 GiB.</summary>
    [Range(1_024, 1_073_741_824, ErrorMessage = Section + ":MaxBodyBytes must be between 1024 and 1073741824 bytes.")]
    public int MaxBodyBytes { get; set; } = 8 * 1_024 * 1_024;

    /// <summary>How much output of a run one answer carries in bytes, 1 KiB .. 128 MiB. What is beyond it can still be read from the run's stream.</summary>
    [Range(1_024, 134_217_728, ErrorMessage = Section + ":MaxFoldedOutputBytes must be between 1024 and 134217728 bytes.")]
    public int MaxFoldedOutputBytes { get; set; } = 8 * 1_024 * 1_024;
}

/// <summary>Refuses to start with limits out of range.</summary>
[OptionsValidator]
internal sealed partial class ApiOptionsValidator : IValidateOptions<ApiOptions>;
