namespace Cerver.Runs;

/// <summary>Which of a program's outputs. The numbers are stored.</summary>
[GenerateSerializer, Alias("cerver.run.output-kind")]
public enum OutputKind
{
    /// <summary>Standard output.</summary>
    Stdout = 1,

    /// <summary>Standard error.</summary>
    Stderr = 2,
}

/// <summary>A piece of a run's output, as it is stored and as it travels.</summary>
/// <param name="Sequence">1 for the first piece of a run, then one more each.</param>
/// <param name="Kind">Which output it was written to.</param>
/// <param name="Data">At most 16 KiB of bytes. Valid UTF-8 is never cut within a character.</param>
[GenerateSerializer, Immutable, Alias("cerver.run.chunk")]
public sealed record RunChunk(
    [property: Id(0)] long Sequence,
    [property: Id(1)] OutputKind Kind,
    [property: Id(2)] byte[] Data);

/// <summary>What the Orleans stream of a run carries: output that is on disk already.</summary>
/// <param name="RunId">The run that printed it; a stream carries several.</param>
/// <param name="Chunks">Chunks with consecutive sequence numbers, at least one.</param>
[GenerateSerializer, Immutable, Alias("cerver.run.output")]
public sealed record RunOutput(
    [property: Id(0)] string RunId,
    [property: Id(1)] ImmutableArray<RunChunk> Chunks);

/// <summary>How far a run has come.</summary>
/// <param name="Head">The sequence number of the last chunk that is on disk.</param>
/// <param name="Closed">Whether the run is over and <paramref name="Head"/> is final.</param>
[GenerateSerializer, Immutable, Alias("cerver.run.head")]
public readonly record struct RunHead(
    [property: Id(0)] long Head,
    [property: Id(1)] bool Closed);

/// <summary>The names of the Orleans streams that carry live output.</summary>
public static class RunStreams
{
    /// <summary>The stream provider.</summary>
    public const string Provider = "runs";

    /// <summary>
    /// The stream that carries a run. It may lose events: what it carries is on disk first, and a reader fills holes from there.
    /// </summary>
    /// <remarks>
    /// There are 256, named by the last two digits of the run's id, which are random. Orleans remembers every stream that was ever written
    /// to, so one for each run would be one more thing to remember for each run.
    /// </remarks>
    public static StreamId For(string runId) => StreamId.Create("run", runId[^2..]);
}
