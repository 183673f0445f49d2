using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Options;

namespace Cerver.Grains.Computes;

/// <summary>How long a sandbox stays up that nobody uses, and how long its files stay after that.</summary>
internal sealed class SandboxLifetimeOptions
{
    /// <summary>Where the settings stand.</summary>
    public const string Section = "Cerver:Compute";

    /// <summary>How long nothing may happen in a session until its sandbox goes down. A session's <c>requirements.timeout_minutes</c> goes first.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "30.00:00:00")]
    public TimeSpan IdleTimeout { get; set; } = TimeSpan.FromMinutes(15);

    /// <summary>How long the files of a sandbox are kept while its session stays idle.</summary>
    [Range(typeof(TimeSpan), "00:01:00", "3650.00:00:00")]
    public TimeSpan Retention { get; set; } = TimeSpan.FromDays(7);
}

/// <summary>Checks <see cref="SandboxLifetimeOptions"/> before the first request.</summary>
[OptionsValidator]
internal sealed partial class SandboxLifetimeOptionsValidator : IValidateOptions<SandboxLifetimeOptions>;
