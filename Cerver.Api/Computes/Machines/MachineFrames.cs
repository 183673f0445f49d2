using System.Text.Json;
using Cerver.Api.Answers;
using Cerver.Computes;

namespace Cerver.Api.Computes.Machines;

/// <summary>What a machine sent.</summary>
/// <param name="RequestId">The request that it answers, or null when it answers none.</param>
/// <param name="Answer">The answer.</param>
internal readonly record struct MachineFrame(string? RequestId, MachineAnswer? Answer);

/// <summary>The frames of a machine's socket: text, a JSON object each.</summary>
internal static class MachineFrames
{
    private const int MinStatus = 100;
    private const int MaxStatus = 599;

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
    public static ReadOnlyMemory<byte> Request(string requestId, MachineRequest request) => Write((requestId, request), static (writer, call) =>
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
        writer.WriteRawValue(call.request.Body ?? "null");
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
                : Find(frame, "type", JsonValueKind.String) is { } type && type.ValueEquals("response"u8) ? ReadAnswer(frame)
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
