using Cerver.Api.Requests;
using Cerver.Errors;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Net.Http.Headers;

namespace Cerver.Api.Sessions.Importing;

/// <summary>Reads the body of an import as it arrives. Of the file itself never more than a line is in memory.</summary>
internal static class ImportBody
{
    /// <summary>How long a body may take to arrive. One that takes longer keeps others from being read.</summary>
    public static readonly TimeSpan TimeLimit = TimeSpan.FromMinutes(5);

    /// <summary>How a file may be declared.</summary>
    public static ImmutableArray<string> MediaTypes { get; } =
        ["application/x-ndjson", "application/jsonl", "application/x-jsonlines", "text/plain", "application/octet-stream"];

    /// <summary>Refuses what is not declared as a file, before any of it is read.</summary>
    /// <exception cref="BadHttpRequestException">415.</exception>
    public static void RequireMediaType(HttpRequest request)
    {
        if (!MediaTypeHeaderValue.TryParse(request.ContentType, out var type) || !MediaTypes.Contains(type.MediaType.ToString(), StringComparer.OrdinalIgnoreCase))
        {
            throw new BadHttpRequestException("The body is not declared as a file of JSON lines.", StatusCodes.Status415UnsupportedMediaType);
        }
    }

    /// <summary>The file.</summary>
    /// <param name="context">The request.</param>
    /// <param name="format">The word for its format, or null to find out.</param>
    /// <param name="options">How much there may be.</param>
    /// <param name="time">The clock.</param>
    /// <exception cref="CerverException">
    /// <see cref="CerverError.PayloadTooLarge"/>; <see cref="CerverError.InvalidRequest"/> when nothing could be read.
    /// </exception>
    /// <exception cref="BadHttpRequestException">408, and what the server says of a body that does not arrive.</exception>
    public static async Task<ImportedFile> ReadAsync(HttpContext context, string? format, ApiOptions options, TimeProvider time)
    {
        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } size)
        {
            size.MaxRequestBodySize = options.MaxImportBytes + ApiRegistration.DroppedBodyBytes;
        }

        if (context.Request.ContentLength > options.MaxImportBytes)
        {
            throw TooLarge(options.MaxImportBytes);
        }

        using var limit = new CancellationTokenSource(TimeLimit, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, context.RequestAborted);
        try
        {
            return await ReadAsync(context, format, options, either.Token);
        }
        catch (OperationCanceledException late) when (limit.IsCancellationRequested)
        {
            throw new BadHttpRequestException("The body did not arrive in time.", StatusCodes.Status408RequestTimeout, late);
        }
    }

    private static async Task<ImportedFile> ReadAsync(HttpContext context, string? format, ApiOptions options, CancellationToken cancellationToken)
    {
        using var file = new ImportFileReader(format, options.MaxImportEntries);
        var body = context.Request.BodyReader;
        var bytes = 0L;
        while (true)
        {
            var read = await body.ReadAsync(cancellationToken);
            try
            {
                bytes += read.Buffer.Length;
                if (bytes > options.MaxImportBytes)
                {
                    throw TooLarge(options.MaxImportBytes);
                }

                foreach (var piece in read.Buffer)
                {
                    file.Take(piece.Span);
                }
            }
            finally
            {
                // Refused or not, a body that is left in mid-read costs the caller the connection.
                body.AdvanceTo(read.Buffer.End);
            }

            if (read.IsCompleted)
            {
                return file.Complete();
            }
        }
    }

    private static CerverException TooLarge(int maxBytes) => new(
        CerverError.PayloadTooLarge, $"The file is larger than {maxBytes} bytes. Split it, or have the operator raise Cerver:Api:MaxImportBytes.");
}
