using System.Collections.Immutable;
using Cerver.Runs;

namespace Cerver.Computes;

/// <summary>What happens in a sandbox on a machine that dials in.</summary>
[GenerateSerializer, Alias("cerver.sandbox.event-kind")]
public enum SandboxEventKind
{
    /// <summary>A run printed something.</summary>
    Output = 0,

    /// <summary>A run is over.</summary>
    End = 1,

    /// <summary>The sandbox is up, and its machine has just dialled in.</summary>
    Open = 2,

    /// <summary>The sandbox went down, and nobody asked for it.</summary>
    Closed = 3,
}

/// <summary>Something that happened in a sandbox.</summary>
/// <param name="Kind">What.</param>
/// <param name="RunId">In which run, or null for what happens to the sandbox itself.</param>
/// <param name="Sequence">Its number in the run, from 1 and without a gap; 0 for what happens to the sandbox itself, and when the machine only says that it has the run.</param>
/// <param name="Stream">Which output.</param>
/// <param name="Data">What was printed, at most 64 KiB.</param>
/// <param name="ExitCode">How the program ended, or null when nobody knows.</param>
/// <param name="Generation">Which opening of the sandbox, a number of its machine's, with what happens to the sandbox itself; 0 when the machine does not say.</param>
/// <param name="TimedOut">Whether the machine ended the program because its time was over.</param>
[GenerateSerializer, Immutable, Alias("cerver.sandbox.event")]
public sealed record SandboxEvent(
    [property: Id(0)] SandboxEventKind Kind,
    [property: Id(1)] string? RunId = null,
    [property: Id(2)] long Sequence = 0,
    [property: Id(3)] OutputKind Stream = OutputKind.Stdout,
    [property: Id(4)] byte[]? Data = null,
    [property: Id(5)] int? ExitCode = null,
    [property: Id(6)] long Generation = 0,
    [property: Id(7)] bool TimedOut = false);

/// <summary>What became of events.</summary>
/// <param name="RunId">Of which run, or null for what happened to the sandbox itself.</param>
/// <param name="Sequence">The last of them that was taken; more may come. Of what happened to the sandbox itself, which opening is meant.</param>
/// <param name="IsOver">Whether nobody wants to hear of it any more, so that the machine can end it and forget it.</param>
[GenerateSerializer, Immutable, Alias("cerver.sandbox.receipt")]
public sealed record SandboxReceipt(
    [property: Id(0)] string? RunId,
    [property: Id(1)] long Sequence,
    [property: Id(2)] bool IsOver = false);
