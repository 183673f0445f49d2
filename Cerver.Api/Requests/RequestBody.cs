using System.Buffers;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Cerver.Errors;
using Cerver.Operations;
using Microsoft.Extensions.Options;

namespace Cerver.Api.Requests;

/// <summary>Reads JSON bodies whole, so that a bad one is refused before anything is done.</summary>
internal static class RequestBody
{
    /// <summary>Objects and arrays within each other, beyond which a body is refused.</summary>
    public const int MaxDepth = 64;

    private const int MaxFieldLength = 200;

    /// <summary>The body, or null when there is none or it says <c>null</c>; and the caller's name for the write, or null.</summary>
    /// <exception cref="CerverException">
    /// <see cref="CerverError.InvalidRequest"/> for anything but JSON of the right shape, <see cref="CerverError.PayloadTooLarge"/> beyond
    /// <see cref="ApiOptions.MaxBodyBytes"/>.
    /// </exception>
    /// <exception cref="BadHttpRequestException">
    /// 415 for another content type; what the server says of a body that does not arrive.
    /// </exception>
    public static async ValueTask<(T? Value, Operation? Operation)> ReadAsync<T>(HttpContext context)
        where T : class
    {
        var request = context.Request;
        var maxBytes = context.RequestServices.GetRequiredService<IOptions<ApiOptions>>().Value.MaxBodyBytes;
        if (request.ContentLength > maxBytes)
        {
            throw TooLarge(maxBytes);
        }

        var body = request.BodyReader;
        while (true)
        {
            var read = await body.ReadAsync(context.RequestAborted);
            if (read.Buffer.Length > maxBytes)
            {
                body.AdvanceTo(read.Buffer.End);
                throw TooLarge(maxBytes);
            }

            if (!read.IsCompleted)
            {
                body.AdvanceTo(read.Buffer.Start, read.Buffer.End);
                continue;
            }

            try
            {
                var operation = IdempotencyKey.Read(request, read.Buffer);
                return (read.Buffer.IsEmpty ? null : Parse<T>(request, read.Buffer), operation);
            }
            finally
            {
                // Refused or not, a body that is left in mid-read costs the caller the connection.
                body.AdvanceTo(read.Buffer.End);
            }
        }
    }

    /// <summary>Reads one JSON object.</summary>
    /// <exception cref="CerverException"><see cref="CerverError.InvalidRequest"/> names the field at fault.</exception>
    internal static T? Parse<T>(ReadOnlySequence<byte> json, JsonTypeInfo<T> type)
        where T : class
    {
        var reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = MaxDepth });
        try
        {
            reader.Read();
            if (reader.TokenType is not (JsonTokenType.StartObject or JsonTokenType.Null))
            {
                throw new CerverException(CerverError.InvalidRequest, "The body must be a JSON object.");
            }

            var value = JsonSerializer.Deserialize(ref reader, type);

            // Anything but white space after the object throws here.
            reader.Read();
            return value;
        }
        catch (JsonException exception)
        {
            throw Refuse(exception);
        }
    }

    private static T? Parse<T>(HttpRequest request, ReadOnlySequence<byte> json)
        where T : class =>
        request.HasJsonContentType()
            ? Parse(json, (JsonTypeInfo<T>)RequestJson.Default.GetTypeInfo(typeof(T))!)
            : throw new BadHttpRequestException("The body is not declared as JSON.", StatusCodes.Status415UnsupportedMediaType);

    private static CerverException Refuse(JsonException exception)
    {
        var field = FieldOf(exception.Path);
        var subject = field is null ? "The body" : $"'{field}'";
        var message = exception switch
        {
            FieldException => $"{subject} {exception.Message}",

            // The reader's own word for a text that it cannot decode. It is also that for a value of another type, which the readers of our fields refuse before.
            { InnerException: InvalidOperationException } => $"{subject} contains text that is not valid Unicode.",
            _ when IsMalformed(exception) => string.Create(
                CultureInfo.InvariantCulture,
                $"The body is not valid JSON, or is nested deeper than {MaxDepth} levels; see line {exception.LineNumber + 1}, byte {exception.BytePositionInLine + 1}."),
            _ => $"{subject} has a value of the wrong type, or is given twice.",
        };
        return new(CerverError.InvalidRequest, message, field);
    }

    /// <summary>The reader throws a type of its own, derived and not public; the serializer wraps it in the public one.</summary>
    private static bool IsMalformed(JsonException exception) =>
        exception.InnerException is JsonException || exception.GetType() != typeof(JsonException);

    /// <summary>
    /// The place in wire spelling: <c>$.entries[0].content</c> is <c>entries[0].content</c>, the root is nothing. A name that the caller
    /// made up may be megabytes long, so a place ends after <see cref="MaxFieldLength"/> characters.
    /// </summary>
    private static string? FieldOf(string? path) => path switch
    {
        null or "$" => null,
        { Length: > MaxFieldLength } => FieldOf($"{path.AsSpan(0, MaxFieldLength - 1)}…"),
        _ => path.AsSpan(1).TrimStart('.').ToString(),
    };

    private static CerverException TooLarge(int maxBytes) =>
        new(CerverError.PayloadTooLarge, $"The request body is larger than {maxBytes} bytes; send less at once.");
}
