using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Unicode;
using Cerver.Api.Errors;
using Cerver.Api.Streams;
using Cerver.Runs;

namespace Cerver.Api.Runs;

/// <summary>A run as events: that it began, what it prints, how it ended. Ids are 0, the sequence numbers of its output, and one more than the last.</summary>
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
            yield return new RunBegan(run);
        }

        await foreach (var chunk in readOutput(cancellationToken))
        {
            yield return new RunPrinted(chunk);
        }

        var ended = await readEnd(cancellationToken);
        if (after <= ended.OutputHead)
        {
            yield return EndOf(ended);
        }
    }

    private static EventFrame EndOf(RunRecord run) => run.Status switch
    {
        RunStatus.Running => throw new InvalidOperationException($"The output of {run.RunId} ended before the run did."),
        RunStatus.Lost => new ErrorFrame(run.OutputHead + 1, Refusals.RunLost(run.RunId)),
        _ => new RunEnded(run),
    };

    private sealed class RunBegan(RunRecord run) : EventFrame(id: 0)
    {
        public override ReadOnlySpan<byte> Event => "run"u8;

        public override void WriteData(Utf8JsonWriter writer)
        {
            writer.WriteStartObject();
            writer.WriteString("run_id"u8, run.RunId);
            writer.WriteString("session_id"u8, run.SessionId);
            writer.WriteEndObject();
        }
    }

    private sealed class RunPrinted(RunChunk chunk) : EventFrame(chunk.Sequence)
    {
        public override ReadOnlySpan<byte> Event => chunk.Kind == OutputKind.Stderr ? "stderr"u8 : "stdout"u8;

        public override void WriteData(Utf8JsonWriter writer)
        {
            writer.WriteStartObject();
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

    private sealed class RunEnded(RunRecord run) : EventFrame(run.OutputHead + 1)
    {
        public override ReadOnlySpan<byte> Event => "exit"u8;

        public override void WriteData(Utf8JsonWriter writer)
        {
            writer.WriteStartObject();
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
