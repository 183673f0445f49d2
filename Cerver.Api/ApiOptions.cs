using Microsoft.Extensions.Options;

namespace Cerver.Api;

/// <summary>What the front door accepts and holds in memory.</summary>
public sealed class ApiOptions
{
    /// <summary>The configuration section.</summary>
    public const string Section = "Cerver:Api";

    /// <summary>The largest request body in bytes, 1 KiB .. 1 GiB.</summary>
    public int MaxBodyBytes { get; set; } = 8 * 1_024 * 1_024;

    /// <summary>How much output of a run one answer carries in bytes, 1 KiB .. 128 MiB. What is beyond it can still be read from the run's stream.</summary>
    public int MaxFoldedOutputBytes { get; set; } = 8 * 1_024 * 1_024;
}

/// <summary>Refuses to start with limits out of range. The generated validator does not name the section.</summary>
internal sealed class ApiOptionsValidator : IValidateOptions<ApiOptions>
{
    private const int MinBytes = 1_024;
    private const int MaxBodyBytes = 1_073_741_824;
    private const int MaxFoldedOutputBytes = 134_217_728;

    public ValidateOptionsResult Validate(string? name, ApiOptions options) => options switch
    {
        { MaxBodyBytes: < MinBytes or > MaxBodyBytes } => Refuse(nameof(options.MaxBodyBytes), MaxBodyBytes),
        { MaxFoldedOutputBytes: < MinBytes or > MaxFoldedOutputBytes } => Refuse(nameof(options.MaxFoldedOutputBytes), MaxFoldedOutputBytes),
        _ => ValidateOptionsResult.Success,
    };

    private static ValidateOptionsResult Refuse(string setting, int maxBytes) =>
        ValidateOptionsResult.Fail($"{ApiOptions.Section}:{setting} must be between {MinBytes} and {maxBytes} bytes.");
}
