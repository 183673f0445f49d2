using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Options;

namespace Cerver.Grains.Computes.Local;

/// <summary>What keeps code that sessions run away from this machine.</summary>
internal enum LocalIsolation
{
    /// <summary>A bubblewrap container per sandbox.</summary>
    Bubblewrap = 0,

    /// <summary>Nothing: code runs as the gateway's own user and sees all that user sees. For machines that are themselves throw-away.</summary>
    None = 1,
}

/// <summary>Settings of sandboxes on the gateway's own machine.</summary>
internal sealed class LocalComputeOptions
{
    public const string Section = "Cerver:Compute:Local";

    /// <summary>Whether the gateway gives sandboxes on its own machine at all.</summary>
    public bool Enabled { get; set; } = true;

    /// <summary>What keeps code away from this machine.</summary>
    [EnumDataType(typeof(LocalIsolation))]
    public LocalIsolation Isolation { get; set; } = LocalIsolation.Bubblewrap;

    /// <summary>
    /// Whether a session may ask for the network (<c>requirements.network</c>). It is this machine's network then, with all that
    /// listens on its loopback interface.
    /// </summary>
    public bool AllowNetwork { get; set; } = true;

    /// <summary>The program that makes the containers, an absolute path. 0.8 or newer.</summary>
    [Required]
    public string BubblewrapPath { get; set; } = "/usr/bin/bwrap";

    /// <summary>The directory that holds the sandboxes' files, or null for <c>sandboxes</c> in the data directory. No other gateway may use it.</summary>
    public string? WorkspaceRoot { get; set; }

    /// <summary>How much memory one sandbox may use, in bytes. Where the kernel cannot limit it, it is measured, and each process has as much at most.</summary>
    [Range(67_108_864, 1L << 44)]
    public long MemoryBytes { get; set; } = 1L << 32;

    /// <summary>How many processors one sandbox may keep busy. Without control groups only a whole number of them can be held, so it is rounded up.</summary>
    [Range(0.05, 1024)]
    public double Cpus { get; set; } = 2;

    /// <summary>
    /// How many of the processors that the gateway may use are for the gateway and others, and for no sandbox. One is left to sandboxes in any case.
    /// </summary>
    [Range(0, 1024)]
    public int SpareCpus { get; set; } = 1;

    /// <summary>How much the files of one sandbox may take, in bytes. It is measured.</summary>
    [Range(1_048_576, 1L << 46)]
    public long DiskBytes { get; set; } = 10L << 30;

    /// <summary>How often it is measured what sandboxes use of what the kernel does not limit. What takes long to measure is measured less often.</summary>
    [Range(typeof(TimeSpan), "00:00:00.05", "00:01:00")]
    public TimeSpan WatchInterval { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>Whether limits are kept with control groups (cgroup v2) where the gateway may make some.</summary>
    public bool UseCgroups { get; set; } = true;

    /// <summary>
    /// The directory of the control group below which sandboxes get theirs, an absolute path, or null for the gateway's own group. It must have no
    /// processes in it.
    /// </summary>
    public string? CgroupDirectory { get; set; }

    /// <summary>Processes and threads that may live in one sandbox at once.</summary>
    [Range(16, 1_000_000)]
    public long MaxProcesses { get; set; } = 1024;

    /// <summary>Files that one process in a sandbox may have open.</summary>
    [Range(1024, 1_000_000)]
    public long MaxOpenFiles { get; set; } = 16_384;

    /// <summary>How large one file of a sandbox may become, in bytes.</summary>
    [Range(1_048_576, 1L << 44)]
    public long MaxFileBytes { get; set; } = 1L << 33;

    /// <summary>How much /tmp and /dev/shm of a sandbox may hold, in bytes each. It is memory of this machine.</summary>
    [Range(1_048_576, 1L << 40)]
    public long TmpBytes { get; set; } = 1L << 28;

    /// <summary>The first of the user ids that a gateway that is root gives to its sandboxes, one each. Nobody else may have them.</summary>
    [Range(1_000, 4_294_000_000)]
    public long FirstUserId { get; set; } = 1_900_000_000;

    /// <summary>How many user ids there are, and so how many sandboxes a gateway that is root can have open at once.</summary>
    [Range(1, 900_000)]
    public int UserIdCount { get; set; } = 65_536;

    /// <summary>How many sandboxes may be open at once.</summary>
    [Range(1, 65_536)]
    public int MaxSandboxes { get; set; } = 4_096;

    /// <summary>How long a sandbox may take to come up.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "00:05:00")]
    public TimeSpan OpenTimeout { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>How large a file may be that is sent to a sandbox, and how much of a file one answer may have, in bytes.</summary>
    [Range(1_024, 1L << 40)]
    public long MaxTransferBytes { get; set; } = 64L << 20;

    /// <summary>Files that may be sent to one sandbox at once.</summary>
    [Range(1, 256)]
    public int MaxUploads { get; set; } = 8;

    /// <summary>After how long a file is forgotten of which nothing is sent any more.</summary>
    [Range(typeof(TimeSpan), "00:00:10", "1.00:00:00")]
    public TimeSpan UploadTimeout { get; set; } = TimeSpan.FromMinutes(10);
}

/// <summary>Checks the settings before the first request.</summary>
[OptionsValidator]
internal sealed partial class LocalComputeOptionsValidator : IValidateOptions<LocalComputeOptions>;
