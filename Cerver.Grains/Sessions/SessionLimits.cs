using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Options;

namespace Cerver.Grains.Sessions;

/// <summary>How large the parts of a session may be. Beyond is refused with the limit in the message.</summary>
internal sealed class SessionLimits
{
    /// <summary>Where the settings stand.</summary>
    public const string Section = "Cerver:Limits";

    /// <summary>The content of one transcript entry, in bytes of UTF-8.</summary>
    [Range(1024, 16 * 1024 * 1024)]
    public int MaxEntryBytes { get; set; } = 1024 * 1024;

    /// <summary>Entries in one append.</summary>
    [Range(1, 10_000)]
    public int MaxEntriesPerAppend { get; set; } = 1000;

    /// <summary>A session's name, in characters.</summary>
    [Range(20, 1000)]
    public int MaxNameCharacters { get; set; } = 200;

    /// <summary>A session's metadata, in bytes of UTF-8. Requirements have the same limit.</summary>
    [Range(1024, 1024 * 1024)]
    public int MaxMetadataBytes { get; set; } = 64 * 1024;

    /// <summary>The code of one run, in bytes of UTF-8.</summary>
    [Range(1024, 512 * 1024)]
    public int MaxCodeBytes { get; set; } = 256 * 1024;

    /// <summary>How long a run may take when it names no time.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "1.00:00:00")]
    public TimeSpan DefaultRunTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>Runs that go on at once in one session.</summary>
    [Range(1, 128)]
    public int MaxConcurrentRuns { get; set; } = 32;

    /// <summary>Output of one run that is kept, in bytes. The run goes on beyond, and says that it was cut.</summary>
    [Range(1024, 1024L * 1024 * 1024)]
    public long MaxOutputBytes { get; set; } = 64 * 1024 * 1024;
}

/// <summary>Checks <see cref="SessionLimits"/> before the first request.</summary>
[OptionsValidator]
internal sealed partial class SessionLimitsValidator : IValidateOptions<SessionLimits>;
