using System.Globalization;
using Cerver.Api.Errors;
using Cerver.Computes;
using Cerver.Errors;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Logging;

namespace Cerver.Api.Files;

/// <summary>
/// The bytes of a file, in the memory of one part. All of them are of one file: when another takes its place the connection is cut, as it is after any failure on
/// the way, because a file with an orderly end would pass for the whole.
/// </summary>
/// <param name="file">The file as it was when it was asked for.</param>
/// <param name="read">Reads a part.</param>
/// <param name="enter">Waits until so many are not read at once any more.</param>
internal sealed partial class FileDownload(
    FilePart file, Func<long, int, CancellationToken, Task<FilePart>> read, Func<CancellationToken, Task<IDisposable>> enter) : IResult
{
    private const string ContentType = "application/octet-stream";

    /// <summary>What tells versions of a file from each other.</summary>
    public static string TagOf(FilePart file) => $"\"{file.Version}\"";

    public async Task ExecuteAsync(HttpContext httpContext)
    {
        var (response, aborted) = (httpContext.Response, httpContext.RequestAborted);
        var asked = FileRange.Of(httpContext.Request, file);
        if (asked is { Length: 0 })
        {
            await RefuseRangeAsync(httpContext);
            return;
        }

        var range = asked ?? new FileRange(First: 0, file.Size);
        if (range.Length > file.MaxBytes)
        {
            throw new CerverException(
                CerverError.PayloadTooLarge,
                $"The file has {file.Size} bytes, and one answer has at most {file.MaxBytes} of them. Read it in parts, with 'Range: bytes=FIRST-LAST'.");
        }

        using var place = await enter(aborted);

        // Whatever can be refused is refused here, while the status line can still say so.
        var part = await ReadAsync(range.First, range.Length, aborted);
        if (asked is not null)
        {
            response.StatusCode = StatusCodes.Status206PartialContent;
            response.Headers.ContentRange = string.Create(CultureInfo.InvariantCulture, $"bytes {range.First}-{range.First + range.Length - 1}/{file.Size}");
        }

        response.ContentType = ContentType;
        response.ContentLength = range.Length;
        response.Headers.ContentDisposition = "attachment";
        response.Headers.XContentTypeOptions = "nosniff";
        response.Headers.AcceptRanges = "bytes";
        response.Headers.ETag = TagOf(file);
        response.Headers.LastModified = file.ModifiedAt.ToString("R", CultureInfo.InvariantCulture);
        httpContext.Features.GetRequiredFeature<IHttpResponseBodyFeature>().DisableBuffering();
        try
        {
            await WriteAsync(response, range, part, aborted);
        }
        catch (Exception exception)
        {
            if (!aborted.IsCancellationRequested)
            {
                var traceId = RefusalHandler.TraceIdOf(httpContext);
                LogCut(httpContext.RequestServices.GetRequiredService<ILogger<FileDownload>>(), traceId, Refusals.Of(exception, traceId).Body.Code, exception);
            }

            httpContext.Abort();
        }
    }

    private async Task WriteAsync(HttpResponse response, FileRange range, byte[] part, CancellationToken cancellationToken)
    {
        var sent = 0L;
        while (true)
        {
            await response.BodyWriter.WriteAsync(part, cancellationToken);
            sent += part.Length;
            if (sent == range.Length)
            {
                return;
            }

            cancellationToken.ThrowIfCancellationRequested();
            part = await ReadAsync(range.First + sent, range.Length - sent, cancellationToken);
        }
    }

    private async Task<byte[]> ReadAsync(long first, long left, CancellationToken cancellationToken)
    {
        if (left == 0)
        {
            return [];
        }

        var part = await read(first, (int)Math.Min(left, FileParts.MaxBytes), cancellationToken);
        return part.Data.Length > 0 ? part.Data : throw new CerverException(CerverError.Conflict, "The file became shorter while it was read. Read it again.");
    }

    private Task RefuseRangeAsync(HttpContext context)
    {
        context.Response.Headers.ContentRange = string.Create(CultureInfo.InvariantCulture, $"bytes */{file.Size}");
        return Refusals.WriteAsync(context, Refusals.OfStatus(StatusCodes.Status416RangeNotSatisfiable));
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "A file that was read by request {TraceId} was cut off with {Code}.")]
    private static partial void LogCut(ILogger logger, string traceId, string code, Exception exception);
}
