using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace Cerver.Api.Answers;

/// <summary>Sends JSON with its length, in one write.</summary>
internal static class JsonAnswer
{
    /// <summary>The content type of every answer that is neither a stream nor a page.</summary>
    public const string ContentType = "application/json";

    /// <summary>Answers are JSON and nothing else, so text goes out as it is; only what JSON demands is escaped.</summary>
    public static JsonWriterOptions WriterOptions { get; } = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true };

    /// <summary>An answer of status 200 or another.</summary>
    public static JsonAnswer<T> Of<T>(T value, JsonTypeInfo<T> type, int status = StatusCodes.Status200OK) => new(value, type, status);

    /// <summary>Sends an answer. Only for a response that has not started.</summary>
    public static async Task WriteAsync<T>(HttpResponse response, int status, T value, JsonTypeInfo<T> type)
    {
        using var buffer = new PooledBuffer();
        await using (var writer = new Utf8JsonWriter(buffer, WriterOptions))
        {
            JsonSerializer.Serialize(writer, value, type);
        }

        response.StatusCode = status;
        response.ContentType = ContentType;
        response.ContentLength = buffer.Length;
        await response.BodyWriter.WriteAsync(buffer.Written);
    }
}

/// <summary>A JSON answer that a handler returns.</summary>
internal sealed class JsonAnswer<T>(T value, JsonTypeInfo<T> type, int status) : IResult
{
    public Task ExecuteAsync(HttpContext httpContext) => JsonAnswer.WriteAsync(httpContext.Response, status, value, type);
}
