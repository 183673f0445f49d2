using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Unicode;
using Cerver.Api.Errors;
using Cerver.Api.Streams;
using Cerver.Runs;

namespace Cerver.Api.Runs;

/// <summary>
/// A run as events: that it began, what it prints, how it ended. Ids are 0, the sequence numbers of its output, and one more than the last.
/// </summary>
/// <remarks>Output whose rows are gone is a <c>gap</c> with the id of the last that is missing.</remarks>
internal static class RunFrames
{
    /// <summary>The position of a client that has seen nothing, not even that the run began.</summary>
    public const long Beginning = -1;

    /// <summary>The events after a position.</summary>
    /// <param name="run">The run.</param>
    /// <param name="after">The last id the client has seen, or <see cref="Beginning"/>.</param>
    /// <param name="readOutput">Reads its output after that, which ends when the run is over.</param>
    /// <param name="readEnd">Reads how the run ended; called when the output ends.</param>
    /// <param name="cancellationToken">Ends the reading, not the run.</param>
    public static async IAsyncEnumerable<EventFrame> ReadAsync(
        RunRecord run,
        long after,
        Func<CancellationToken, IAsyncEnumerable<RunChunk>> readOutput,
        Func<CancellationToken, Task<RunRecord>> readEnd,
        [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        if (after < 0)
        {
            yield return Began(id: 0, run.RunId, run.SessionId);
        }

        var next = Math.Max(after, 0) + 1;
        await foreach (var chunk in readOutput(cancellationToken))
        {
            if (chunk.Sequence > next)
            {
                yield return new GapFrame(next, chunk.Sequence - 1);
            }

            yield return Printed(chunk.Sequence, chunk);
            next = chunk.Sequence + 1;
        }

        var ended = await readEnd(cancellationToken);
        if (next <= ended.OutputHead)
        {
            yield return new GapFrame(next, ended.OutputHead);
        }

        if (after <= ended.OutputHead)
        {
            yield return Ended(ended.OutputHead + 1, ended);
        }
    }

    /// <summary>A run began.</summary>
    public static EventFrame Began(long id, string runId, string sessionId) => new BeganFrame(id, runId, sessionId);

    /// <summary>A run printed something.</summary>
    /// <param name="id">The position of the event.</param>
    /// <param name="chunk">What it printed.</param>
    /// <param name="runId">The run, in a stream of more than one.</param>
    public static EventFrame Printed(long id, RunChunk chunk, string? runId = null) => new PrintedFrame(id, chunk, runId);

    /// <summary>A run is over.</summary>
    /// <param name="id">The position of the event.</param>
    /// <param name="run">How it ended.</param>
    /// <param name="runId">The run, in a stream of more than one.</param>
    public static EventFrame Ended(long id, RunRecord run, string? runId = null) => run.Status switch
    {
        RunStatus.Running => throw new InvalidOperationException($"The output of {run.RunId} ended before the run did."),
        RunStatus.Lost => new ErrorFrame(id, Refusals.RunLost(run.RunId), runId),
        _ => new EndedFrame(id, run, runId),
    };

    private static void WriteRun(Utf8JsonWriter writer, string? runId)
    {
        if (runId is not null)
        {
            writer.WriteString("run_id"u8, runId);
        }
    }

    private sealed class BeganFrame(long id, string runId, string sessionId) : EventFrame(id)
    {
        public override ReadOnlySpan<byte> Event => "run"u8;

        public override void WriteData(Utf8JsonWriter writer)
        {
            writer.WriteStartObject();
            WriteRun(writer, runId);
            writer.WriteString("session_id"u8, sessionId);
            writer.WriteEndObject();
        }
    }

    private sealed class PrintedFrame(long id, RunChunk chunk, string? runId) : EventFrame(id)
    {
        public override ReadOnlySpan<byte> Event => chunk.Kind == OutputKind.Stderr ? "stderr"u8 : "stdout"u8;

        public override void WriteData(Utf8JsonWriter writer)
        {
            writer.WriteStartObject();
            WriteRun(writer, runId);
            if (Utf8.IsValid(chunk.Data))
            {
                writer.WriteString("data"u8, chunk.Data);
            }
            else
            {
                writer.WriteBase64String("data_base64"u8, chunk.Data);
            }

            writer.WriteEndObject();
        }
    }

    private sealed class EndedFrame(long id, RunRecord run, string? runId) : EventFrame(id)
    {
        public override ReadOnlySpan<byte> Event => "exit"u8;

        public override void WriteData(Utf8JsonWriter writer)
        {
            writer.WriteStartObject();
            WriteRun(writer, runId);
            if (run.ExitCode is { } exitCode)
            {
                writer.WriteNumber("exit_code"u8, exitCode);
            }
            else
            {
                writer.WriteNull("exit_code"u8);
            }

            writer.WriteNumber("duration_ms"u8, RunAnswer.DurationOf(run) ?? 0);
            writer.WriteBoolean("timed_out"u8, run.Status == RunStatus.TimedOut);
            writer.WriteBoolean("cancelled"u8, run.Status == RunStatus.Cancelled);
            if (run.Truncated)
            {
                writer.WriteBoolean("truncated"u8, value: true);
            }

            writer.WriteEndObject();
        }
    }
}
