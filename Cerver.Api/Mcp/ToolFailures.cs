using System.Diagnostics;
using System.Globalization;
using System.Text;
using Cerver.Api.Errors;
using Microsoft.Extensions.Logging;
using ModelContextProtocol.Protocol;

namespace Cerver.Api.Mcp;

/// <summary>Tells a model what went wrong by the same table as the routes, and what it can do about it with the tools that it has.</summary>
internal sealed partial class ToolFailures(ILogger<ToolFailures> logger)
{
    /// <summary>The answer of a tool that failed.</summary>
    public CallToolResult Answer(string tool, Exception failure)
    {
        var traceId = (Activity.Current?.TraceId ?? ActivityTraceId.CreateRandom()).ToHexString();
        var refusal = Refusals.Of(failure, traceId);
        if (refusal.Status == StatusCodes.Status500InternalServerError)
        {
            LogFailed(tool, traceId, failure);
        }
        else if (refusal.Status > StatusCodes.Status500InternalServerError)
        {
            LogUnavailable(tool, traceId, refusal.Body.Code, failure);
        }

        return Answer(refusal.Body);
    }

    /// <summary>The answer of a tool that was refused.</summary>
    public static CallToolResult Answer(ErrorBody error)
    {
        var text = new StringBuilder(error.Error).Append("\ncode: ").Append(error.Code);
        Append(text, "argument", error.Field);
        Append(text, "run_id", error.RunId);
        Append(text, "transcript_total", error.TranscriptTotal?.ToString(CultureInfo.InvariantCulture));
        Append(text, "trace_id", error.TraceId);
        foreach (var candidate in error.Report?.Candidates ?? [])
        {
            Append(text, candidate.ComputeId ?? candidate.Provider, candidate.Reasons.IsEmpty ? "ready" : string.Join(' ', candidate.Reasons));
        }

        Append(text, "next", NextOf(error.Code));
        return new() { IsError = true, Content = [new TextContentBlock { Text = text.ToString() }] };
    }

    private static void Append(StringBuilder text, string name, string? value)
    {
        if (value is not null)
        {
            text.Append('\n').Append(name).Append(": ").Append(value);
        }
    }

    private static string? NextOf(string code) => code switch
    {
        "invalid_request" => "Call again with that put right; the tool's schema says what it takes.",
        "not_found" => "Find the id with cerver_session_list or cerver_session_search. What belongs to another account is not found either.",
        "secret_backend_unavailable" => "Wait some seconds and call again; when it stays so, tell the person you work for what it says.",
        "secret_not_found" => "Ask the person you work for to have it added, and go on with what needs no secret meanwhile.",
        "conflict" => "Somebody else was first. Read what is new with cerver_session_peek, then decide whether to call again.",
        "no_compute" => "See cerver_compute_list for what there is. A session of the type transcript needs no compute, but cannot run code.",
        "not_resumable" or "session_ended" => "Begin another session with cerver_session_create; its parent_session_id can name this one.",
        "payload_too_large" => "Send less at once, for instance in several calls.",
        "idempotency_mismatch" => "An idempotency_key belongs to one request. Choose another key, or send the first request again unchanged.",
        "run_active" => "Wait until the run is over, then call again.",
        "rate_limited" => "Wait until something that you started is over, then call again.",
        "run_lost" => "What it printed until then is in the session's transcript: cerver_session_peek.",
        "storage_unavailable" or "unavailable" or "timeout" or "compute_offline" or "provider_unavailable" =>
            "Wait some seconds and call again; a write with the same idempotency_key happens only once.",
        _ => null,
    };

    [LoggerMessage(Level = LogLevel.Error, Message = "Call {TraceId} of the tool {Tool} failed.")]
    private partial void LogFailed(string tool, string traceId, Exception exception);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Call {TraceId} of the tool {Tool} was answered {Code}.")]
    private partial void LogUnavailable(string tool, string traceId, string code, Exception exception);
}
