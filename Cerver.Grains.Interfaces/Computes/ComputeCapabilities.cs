using Cerver.Errors;

namespace Cerver.Computes;

/// <summary>What sandboxes of a provider can do beside executing code.</summary>
[Flags, GenerateSerializer, Alias("cerver.compute.features")]
public enum ComputeFeatures
{
    /// <summary>Nothing more.</summary>
    None = 0,

    /// <summary>A program can be sent input while it runs.</summary>
    Stdin = 1,

    /// <summary>Programs go on when the gateway restarts, and are found again.</summary>
    Reattach = 2,

    /// <summary>The provider keeps what a program printed, for a gateway that was away.</summary>
    Replay = 4,

    /// <summary>A sandbox can go down and come up again with the files it had.</summary>
    Pause = 8,

    /// <summary>The state of a sandbox can be copied.</summary>
    Snapshot = 16,

    /// <summary>Files can be read and written from outside.</summary>
    Files = 32,

    /// <summary>A port of a sandbox can be reached from outside.</summary>
    Ports = 64,
}

/// <summary>The words by which callers name <see cref="ComputeFeatures"/>.</summary>
public static class ComputeFeatureWords
{
    /// <summary>Every word with its feature, in the order in which they are listed.</summary>
    public static ImmutableArray<(string Word, ComputeFeatures Feature)> All { get; } =
    [
        ("stdin", ComputeFeatures.Stdin),
        ("reattach", ComputeFeatures.Reattach),
        ("replay", ComputeFeatures.Replay),
        ("pause", ComputeFeatures.Pause),
        ("snapshot", ComputeFeatures.Snapshot),
        ("files", ComputeFeatures.Files),
        ("ports", ComputeFeatures.Ports),
    ];

    /// <summary>The feature that a word names.</summary>
    /// <exception cref="CerverException"><see cref="CerverError.InvalidRequest"/> for any other word.</exception>
    public static ComputeFeatures Parse(string? word, string field)
    {
        foreach (var (known, feature) in All)
        {
            if (known.Equals(word, StringComparison.Ordinal))
            {
                return feature;
            }
        }

        throw new CerverException(CerverError.InvalidRequest, $"'{field}' must be one of {string.Join(", ", All.Select(known => known.Word))}.", field);
    }
}

/// <summary>How a limit of a sandbox is kept.</summary>
[GenerateSerializer, Alias("cerver.compute.hold")]
public enum ComputeHold
{
    /// <summary>Not at all.</summary>
    None = 0,

    /// <summary>By the kernel, for the sandbox as a whole.</summary>
    Cgroup = 1,

    /// <summary>By the kernel, by a limit of its user or of each process.</summary>
    Rlimit = 2,

    /// <summary>By the file system.</summary>
    Quota = 3,

    /// <summary>By measuring every so often and ending what is over. For a moment it can be over.</summary>
    Watch = 4,

    /// <summary>By the kernel, which lets its processes run on so many processors only. Others may be there, too.</summary>
    Affinity = 5,
}

/// <summary>The words by which callers, and machines that say what they can do, name <see cref="ComputeHold"/>.</summary>
public static class ComputeHoldWords
{
    private static readonly ImmutableArray<(string Word, ComputeHold Hold)> All =
    [
        ("none", ComputeHold.None),
        ("cgroup", ComputeHold.Cgroup),
        ("rlimit", ComputeHold.Rlimit),
        ("quota", ComputeHold.Quota),
        ("watch", ComputeHold.Watch),
        ("affinity", ComputeHold.Affinity),
    ];

    /// <summary>The word for how a limit is kept.</summary>
    public static string Of(ComputeHold hold) => All.First(known => known.Hold == hold).Word;

    /// <summary>What a word names; nothing that keeps a limit when it is not known.</summary>
    public static ComputeHold Find(string? word) => All.FirstOrDefault(known => known.Word.Equals(word, StringComparison.Ordinal)).Hold;
}

/// <summary>One limit of a sandbox.</summary>
/// <param name="Hold">How it is kept.</param>
/// <param name="Value">The most there may be, in the unit of the limit, or null when nothing keeps it.</param>
[GenerateSerializer, Immutable, Alias("cerver.compute.limit")]
public sealed record ComputeLimit(
    [property: Id(0)] ComputeHold Hold,
    [property: Id(1)] decimal? Value)
{
    /// <summary>No limit.</summary>
    public static ComputeLimit None { get; } = new(ComputeHold.None, Value: null);

    /// <summary>What holds for both of two sandboxes: the weaker of the two limits.</summary>
    public static ComputeLimit Weaker(ComputeLimit one, ComputeLimit other)
    {
        if (one.Hold == ComputeHold.None || other.Hold == ComputeHold.None)
        {
            return None;
        }

        // The words of the enum go from the strictest on.
        return new(one.Hold > other.Hold ? one.Hold : other.Hold, Math.Max(one.Value ?? 0, other.Value ?? 0));
    }
}

/// <summary>What sandboxes of a provider can do, and what keeps each of them from taking the whole machine.</summary>
/// <param name="Features">What they can do beside executing code.</param>
/// <param name="Memory">How much memory one may use, in bytes.</param>
/// <param name="Cpu">How many processors it may keep busy.</param>
/// <param name="Processes">How many processes and threads it may have.</param>
/// <param name="Disk">How much its files may take, in bytes.</param>
[GenerateSerializer, Immutable, Alias("cerver.compute.capabilities")]
public sealed record ComputeCapabilities(
    [property: Id(0)] ComputeFeatures Features,
    [property: Id(1)] ComputeLimit Memory,
    [property: Id(2)] ComputeLimit Cpu,
    [property: Id(3)] ComputeLimit Processes,
    [property: Id(4)] ComputeLimit Disk)
{
    /// <summary>Those of a provider that does not say.</summary>
    public static ComputeCapabilities Unknown { get; } =
        new(ComputeFeatures.None, ComputeLimit.None, ComputeLimit.None, ComputeLimit.None, ComputeLimit.None);

    /// <summary>What the sandboxes of two hosts have in common.</summary>
    public static ComputeCapabilities Common(ComputeCapabilities one, ComputeCapabilities other) => new(
        one.Features & other.Features,
        ComputeLimit.Weaker(one.Memory, other.Memory),
        ComputeLimit.Weaker(one.Cpu, other.Cpu),
        ComputeLimit.Weaker(one.Processes, other.Processes),
        ComputeLimit.Weaker(one.Disk, other.Disk));
}
