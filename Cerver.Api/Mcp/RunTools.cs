using System.Globalization;
using System.Text;
using System.Text.Json;
using Cerver.Api.Calls;
using Cerver.Api.Errors;
using Cerver.Api.Hosting;
using Cerver.Api.Runs;
using Cerver.Runs;
using ModelContextProtocol.Protocol;

namespace Cerver.Api.Mcp;

/// <summary>Runs code in the sandbox of a session.</summary>
internal sealed class RunTools(IClusterClient cluster, GrainCalls calls, RunFeed feed, RequestDrain drain, TimeProvider time)
{
    /// <summary>How much output of a run an answer carries.</summary>
    private const int MaxOutputBytes = 48_000;

    private static readonly TimeSpan ProgressInterval = TimeSpan.FromSeconds(1);

    public async Task<CallToolResult> RunAsync(RunBody body, ToolCall call, CancellationToken cancellationToken)
    {
        var session = call.Caller.Session(cluster, call.SessionId);
        var started = await calls.StartRunAsync(session, RunReader.Read(body, Ids.NewRun(time), call.Caller), call.Operation, time);
        var run = started.Value;
        var output = new FoldedOutput(MaxOutputBytes);
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, drain.WaitingEnds);
        RunRecord finished;
        try
        {
            finished = await CompleteAsync(call, run, feed.CompleteAsync(call.Caller.AccountId, run, output, ended.Token), cancellationToken);
        }
        catch (Exception) when (cancellationToken.IsCancellationRequested)
        {
            // Whoever asked for the run does not want it any more. It takes a moment to stop, which nobody waits for.
            await calls.ReadAsync(
                (Sandbox: call.Caller.Sandbox(cluster, run.SandboxId), run.RunId), static (call, token) => call.Sandbox.CancelAsync(call.RunId, token), CancellationToken.None);
            throw;
        }

        return finished.Status == RunStatus.Lost
            ? ToolFailures.Answer(Refusals.RunLost(run.RunId).Body)
            : ToolAnswer.Of(writer => Write(writer, finished, output), TextOf, NoteOf(finished, output, started.IsReplayed));
    }

    /// <summary>Waits for the end, and tells a client that asked for it once a second that it is still to come.</summary>
    private async Task<RunRecord> CompleteAsync(ToolCall call, RunRecord run, Task<RunRecord> completing, CancellationToken cancellationToken)
    {
        if (!call.WantsProgress)
        {
            return await completing;
        }

        var began = time.GetTimestamp();
        await call.ReportAsync(0, $"{run.RunId} has started.", cancellationToken);
        while (await Task.WhenAny(completing, Task.Delay(ProgressInterval, time, cancellationToken)) != completing)
        {
            var seconds = time.GetElapsedTime(began).TotalSeconds;
            await call.ReportAsync(seconds, string.Create(CultureInfo.InvariantCulture, $"{run.RunId} has been going on for {seconds:0} s."), cancellationToken);
        }

        return await completing;
    }

    private static void Write(Utf8JsonWriter writer, RunRecord run, FoldedOutput output)
    {
        writer.WriteStartObject();
        writer.WriteString("session_id"u8, run.SessionId);
        writer.WriteString("run_id"u8, run.RunId);
        writer.WriteNumber("duration_ms"u8, RunAnswer.DurationOf(run) ?? 0);
        if (run.ExitCode is { } exitCode)
        {
            writer.WriteNumber("exit_code"u8, exitCode);
        }
        else
        {
            writer.WriteNull("exit_code"u8);
        }

        writer.WriteBoolean("timed_out"u8, run.Status == RunStatus.TimedOut);
        writer.WriteBoolean("cancelled"u8, run.Status == RunStatus.Cancelled);
        writer.WriteBoolean("truncated"u8, run.Truncated || output.Truncated);
        output.WriteMembers(writer);
        writer.WriteEndObject();
    }

    /// <summary>Output is easier to read as it was printed than as a JSON string.</summary>
    private static string TextOf(JsonElement answer)
    {
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"exit code {answer.GetProperty("exit_code")}, {answer.GetProperty("duration_ms")} ms, {answer.GetProperty("run_id")}");
        text.Append(answer.GetProperty("timed_out").GetBoolean() ? ", timed out" : "").Append(answer.GetProperty("cancelled").GetBoolean() ? ", cancelled" : "");
        Append(text, "stdout", answer);
        Append(text, "stderr", answer);
        return text.ToString();
    }

    private static void Append(StringBuilder text, string name, JsonElement answer)
    {
        if (answer.GetProperty(name).GetString() is { Length: > 0 } printed)
        {
            text.Append("\n--- ").Append(name).Append(" ---\n").Append(printed);
        }
    }

    private static string? NoteOf(RunRecord run, FoldedOutput output, bool isReplayed)
    {
        var left = run.Truncated || output.Truncated
            ? $"[Cerver: there was more output than fits here; this is its beginning. The transcript keeps beginning and end of it (cerver_session_peek), GET /v2/sessions/{run.SessionId}/runs/{run.RunId}/stream has all. To see another part, run the code again with its output in a file and print that part.]"
            : null;
        return isReplayed ? left is null ? ToolAnswer.Replayed : $"{ToolAnswer.Replayed}\n{left}" : left;
    }
}
