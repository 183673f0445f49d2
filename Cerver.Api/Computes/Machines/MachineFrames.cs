using System.Text.Json;
using Cerver.Api.Answers;
using Cerver.Computes;
using Cerver.Runs;

namespace Cerver.Api.Computes.Machines;

/// <summary>What a machine sent.</summary>
/// <param name="RequestId">The request that it answers, or null when it answers none.</param>
/// <param name="Answer">The answer.</param>
/// <param name="SandboxId">The sandbox in which something happened, or null when nothing did.</param>
/// <param name="Event">What happened.</param>
/// <param name="SessionId">The session whose agent tells something, or null when none does.</param>
/// <param name="Told">What it tells, a JSON object.</param>
internal readonly record struct MachineFrame(
    string? RequestId = null, MachineAnswer? Answer = null, string? SandboxId = null, SandboxEvent? Event = null, string? SessionId = null, string? Told = null);

/// <summary>The frames of a machine's socket: text, a JSON object each.</summary>
internal static class MachineFrames
{
    private const int MinStatus = 100;
    private const int MaxStatus = 599;
    private const int MaxOutputBytes = 64 * 1024;
    private const int MaxToldCharacters = 64 * 1024;

    /// <summary>The types of what happens in sandboxes. Any other is an agent's.</summary>
    private static readonly ImmutableHashSet<string> SandboxEvents =
        ImmutableHashSet.Create(StringComparer.Ordinal, "sandbox_open", "sandbox_closed", "run_output", "run_going", "run_end");

    private static readonly JsonDocumentOptions Options = new() { MaxDepth = Requests.RequestBody.MaxDepth };

    /// <summary>Asks whether the machine is there.</summary>
    public static ReadOnlyMemory<byte> Ping { get; } = """{"type":"ping"}"""u8.ToArray();

    /// <summary>The first frame.</summary>
    public static ReadOnlyMemory<byte> Connected(string computeId) => Write(computeId, static (writer, computeId) =>
    {
        writer.WriteString("type"u8, "connected"u8);
        writer.WriteString("compute_id"u8, computeId);
    });

    /// <summary>A request.</summary>
    /// <param name="requestId">What its answer is known by.</param>
    /// <param name="request">The request.</param>
    /// <param name="access">How the machine reaches the gateway, for those that are to say so.</param>
    public static ReadOnlyMemory<byte> Request(string requestId, MachineRequest request, MachineAccess access) => Write((requestId, request, access), static (writer, call) =>
    {
        writer.WriteString("type"u8, "request"u8);
        writer.WriteString("request_id"u8, call.requestId);
        writer.WriteString("method"u8, call.request.Method);
        writer.WriteString("path"u8, call.request.Path);
        writer.WriteStartObject("headers"u8);
        foreach (var (name, value) in call.request.Headers)
        {
            writer.WriteString(name, value);
        }

        writer.WriteEndObject();
        writer.WritePropertyName("body"u8);
        writer.WriteRawValue((call.request.Introduces ? call.access.AddTo(call.request.Body!) : call.request.Body) ?? "null");
    });

    /// <summary>Says that events have arrived.</summary>
    public static ReadOnlyMemory<byte> Acknowledgement(string sandboxId, SandboxReceipt receipt) => Write((sandboxId, receipt), static (writer, call) =>
    {
        writer.WriteString("type"u8, "ack"u8);
        writer.WriteString("sandbox_id"u8, call.sandboxId);
        if (call.receipt.RunId is { } runId)
        {
            writer.WriteString("run_id"u8, runId);
        }

        writer.WriteNumber("sequence"u8, call.receipt.Sequence);
        writer.WriteBoolean("is_over"u8, call.receipt.IsOver);
    });

    /// <summary>Reads a frame. What is an object and of a type that means nothing here answers nothing.</summary>
    /// <returns>Null for what is no JSON object, and for an answer that does not say what it answers or how.</returns>
    public static MachineFrame? Read(ReadOnlyMemory<byte> text)
    {
        try
        {
            using var document = JsonDocument.Parse(text, Options);
            var frame = document.RootElement;
            return frame.ValueKind != JsonValueKind.Object ? null
                : Find(frame, "type", JsonValueKind.String) is not { } type ? default(MachineFrame)
                : type.ValueEquals("response"u8) ? ReadAnswer(frame)
                : type.ValueEquals("stream_event"u8) ? ReadEvent(frame)
                : default(MachineFrame);
        }
        catch (JsonException)
        {
            return null;
        }
        catch (InvalidOperationException)
        {
            // Half a character is valid in JSON and no text.
            return null;
        }
    }

    private static MachineFrame? ReadAnswer(JsonElement frame)
    {
        if (Find(frame, "request_id", JsonValueKind.String) is not { } requestId
            || Find(frame, "status", JsonValueKind.Number) is not { } number
            || !number.TryGetInt32(out var status)
            || status is < MinStatus or > MaxStatus)
        {
            return null;
        }

        var headers = Find(frame, "headers", JsonValueKind.Object) is { } named
            ? named.EnumerateObject().Where(static header => header.Value.ValueKind == JsonValueKind.String)
                .DistinctBy(static header => header.Name, StringComparer.Ordinal)
                .ToImmutableDictionary(static header => header.Name, static header => header.Value.GetString()!, StringComparer.Ordinal)
            : ImmutableDictionary<string, string>.Empty;
        var body = frame.TryGetProperty("body"u8, out var sent) && sent.ValueKind != JsonValueKind.Null ? sent.GetRawText() : null;
        return new(requestId.GetString(), new(status, headers, body));
    }

    /// <summary>Reads what happened in a sandbox, or what an agent tells.</summary>
    private static MachineFrame? ReadEvent(JsonElement frame)
    {
        if (Find(frame, "event", JsonValueKind.Object) is not { } what)
        {
            return default(MachineFrame);
        }

        var type = Find(what, "type", JsonValueKind.String)?.GetString();
        if (type is null || !SandboxEvents.Contains(type))
        {
            return ReadTold(frame, what);
        }

        if (Find(what, "sandbox_id", JsonValueKind.String)?.GetString() is not { } sandboxId || !Ids.IsSandbox(sandboxId))
        {
            return default(MachineFrame);
        }

        var runId = Find(what, "run_id", JsonValueKind.String)?.GetString();
        var sequence = ReadNumber(what, "sequence");
        var isRun = runId is not null && Ids.IsRun(runId);
        var isOfRun = isRun && sequence > 0;
        SandboxEvent? happened = type switch
        {
            "sandbox_open" => new SandboxEvent(SandboxEventKind.Open, Generation: ReadNumber(what, "generation")),
            "sandbox_closed" => new SandboxEvent(SandboxEventKind.Closed, Generation: ReadNumber(what, "generation")),
            "run_output" when isOfRun && ReadOutput(what) is { } output => new SandboxEvent(SandboxEventKind.Output, runId, sequence, output.Stream, output.Data),
            "run_going" when isRun => new SandboxEvent(SandboxEventKind.Output, runId),
            "run_end" when isOfRun => new SandboxEvent(
                SandboxEventKind.End, runId, sequence, ExitCode: ReadExitCode(what), TimedOut: Find(what, "timed_out", JsonValueKind.True) is not null),
            _ => null,
        };
        return happened is null ? default(MachineFrame) : new(SandboxId: sandboxId, Event: happened);
    }

    private static MachineFrame ReadTold(JsonElement frame, JsonElement what) =>
        Find(frame, "session_id", JsonValueKind.String)?.GetString() is { } sessionId && Ids.IsSession(sessionId) && what.GetRawText() is { Length: <= MaxToldCharacters } told
            ? new(SessionId: sessionId, Told: OnOneLine(told))
            : default;

    /// <summary>Streams have it on one line. A line that ends in JSON as it was sent is between two of its parts.</summary>
    private static string OnOneLine(string json) => json.Replace('\n', ' ').Replace('\r', ' ');

    private static (OutputKind Stream, byte[] Data)? ReadOutput(JsonElement what) =>
        Find(what, "data", JsonValueKind.String) is { } data && data.TryGetBytesFromBase64(out var bytes) && bytes.Length <= MaxOutputBytes
            ? (Find(what, "stream", JsonValueKind.String) is { } stream && stream.ValueEquals("stderr"u8) ? OutputKind.Stderr : OutputKind.Stdout, bytes)
            : null;

    private static long ReadNumber(JsonElement what, string name) => Find(what, name, JsonValueKind.Number) is { } number && number.TryGetInt64(out var read) ? read : 0;

    private static int? ReadExitCode(JsonElement what) =>
        Find(what, "exit_code", JsonValueKind.Number) is { } number && number.TryGetInt32(out var exitCode) ? exitCode : null;

    private static JsonElement? Find(JsonElement frame, string name, JsonValueKind kind) =>
        frame.TryGetProperty(name, out var value) && value.ValueKind == kind ? value : null;

    private static ReadOnlyMemory<byte> Write<T>(T state, Action<Utf8JsonWriter, T> write)
    {
        using var buffer = new PooledBuffer();
        using (var writer = new Utf8JsonWriter(buffer, JsonAnswer.WriterOptions))
        {
            writer.WriteStartObject();
            write(writer, state);
            writer.WriteEndObject();
        }

        return buffer.Written.ToArray();
    }
}
