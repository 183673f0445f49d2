using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Options;

namespace Cerver.Grains.Secrets.Audit;

/// <summary>How long it is kept who asked for which secret.</summary>
internal sealed class SecretAuditOptions
{
    /// <summary>Where the settings stand.</summary>
    public const string Section = "Cerver:Secrets:Audit";

    /// <summary>How long, 1 day .. 3,650 days. What is older is removed within the hour.</summary>
    [Range(typeof(TimeSpan), "1.00:00:00", "3650.00:00:00")]
    public TimeSpan Retention { get; set; } = TimeSpan.FromDays(90);
}

/// <summary>Checks <see cref="SecretAuditOptions"/> before the first request.</summary>
[OptionsValidator]
internal sealed partial class SecretAuditOptionsValidator : IValidateOptions<SecretAuditOptions>;
