using System.Text.Json;
using Cerver.Api.Answers;
using Cerver.Runs;

namespace Cerver.Api.Runs;

/// <summary>
/// A run that is over and what it printed, in the shape of <see cref="RunFinished"/>. Output goes from its bytes to the wire without
/// becoming a string.
/// </summary>
internal sealed class FoldedRunAnswer(RunRecord run, FoldedOutput output) : IResult
{
    public async Task ExecuteAsync(HttpContext httpContext)
    {
        using var buffer = new PooledBuffer();
        await using (var writer = new Utf8JsonWriter(buffer, JsonAnswer.WriterOptions))
        {
            Write(writer);
        }

        var response = httpContext.Response;
        response.ContentType = JsonAnswer.ContentType;
        response.ContentLength = buffer.Length;
        await response.BodyWriter.WriteAsync(buffer.Written, httpContext.RequestAborted);
    }

    private void Write(Utf8JsonWriter writer)
    {
        writer.WriteStartObject();
        writer.WriteString("session_id"u8, run.SessionId);
        writer.WriteString("run_id"u8, run.RunId);
        writer.WriteNumber("duration_ms"u8, RunAnswer.DurationOf(run) ?? 0);
        writer.WriteStartObject("result"u8);
        output.WriteMembers(writer);
        if (run.ExitCode is { } exitCode)
        {
            writer.WriteNumber("exit_code"u8, exitCode);
        }
        else
        {
            writer.WriteNull("exit_code"u8);
        }

        writer.WriteBoolean("timed_out"u8, run.Status == RunStatus.TimedOut);
        writer.WriteBoolean("truncated"u8, run.Truncated || output.Truncated);
        writer.WriteEndObject();
        writer.WriteEndObject();
    }
}
