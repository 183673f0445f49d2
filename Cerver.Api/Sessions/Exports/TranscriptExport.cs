using System.IO.Pipelines;
using Cerver.Api.Errors;
using Cerver.Sessions;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Logging;

namespace Cerver.Api.Sessions.Exports;

/// <summary>
/// A whole transcript as a file, in the memory of one page: the next one is read when all of the one before has been taken by the
/// connection, so a slow client makes the reading slow and nothing else. It goes up to the total that its first page named, so it is what
/// the session was at one moment, while others append.
/// </summary>
/// <remarks>A failure on the way cuts the connection: a file with an orderly end would pass for the whole.</remarks>
/// <param name="format">How it is written.</param>
/// <param name="first">The record and the first page.</param>
/// <param name="readPage">Reads the page that begins at a position.</param>
internal sealed partial class TranscriptExport(TranscriptFormat format, SessionPage first, Func<long, Task<SessionPage>> readPage) : IResult
{
    private const int MaxUnflushedBytes = 64 * 1_024;

    public async Task ExecuteAsync(HttpContext httpContext)
    {
        var response = httpContext.Response;
        response.ContentType = format.ContentType;
        response.Headers.ContentDisposition = $"attachment; filename=\"cerver-session-{first.Session.SessionId}.{format.Extension}\"";
        httpContext.Features.GetRequiredFeature<IHttpResponseBodyFeature>().DisableBuffering();
        await response.StartAsync(httpContext.RequestAborted);
        try
        {
            await WriteAsync(response.BodyWriter, httpContext.RequestAborted);
        }
        catch (Exception exception)
        {
            if (!httpContext.RequestAborted.IsCancellationRequested)
            {
                var traceId = RefusalHandler.TraceIdOf(httpContext);
                LogCut(httpContext.RequestServices.GetRequiredService<ILogger<TranscriptExport>>(), traceId, Refusals.Of(exception, traceId).Body.Code, exception);
            }

            httpContext.Abort();
        }
    }

    /// <summary>Writes the file. Never more than one entry beyond 64 KiB waits in memory for the reader.</summary>
    internal async Task WriteAsync(PipeWriter output, CancellationToken cancellationToken)
    {
        var (total, page, position) = (first.Session.TranscriptTotal, first, 0L);
        format.WriteHead(output, first.Session);
        while (true)
        {
            if (page.First != position || (page.Entries.IsEmpty && position < total))
            {
                throw new InvalidOperationException($"The transcript has no entry at position {position}.");
            }

            foreach (var entry in page.Entries)
            {
                if (position == total)
                {
                    break;
                }

                format.WriteEntry(output, position++, entry);
                if (output.UnflushedBytes >= MaxUnflushedBytes)
                {
                    await output.FlushAsync(cancellationToken);
                }
            }

            await output.FlushAsync(cancellationToken);
            if (position == total)
            {
                return;
            }

            cancellationToken.ThrowIfCancellationRequested();
            page = await readPage(position);
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Export {TraceId} was cut off with {Code}.")]
    private static partial void LogCut(ILogger logger, string traceId, string code, Exception exception);
}
