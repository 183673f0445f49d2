using System.Buffers;
using System.Buffers.Text;
using System.IO.Pipelines;
using System.Text.Json;
using Cerver.Api.Answers;
using Cerver.Api.Errors;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Cerver.Api.Streams;

/// <summary>
/// Sends events as they come. A frame is <c>id</c>, <c>event</c>, one line of <c>data</c> and a blank line; a comment follows 15 s of
/// silence, so that nobody on the way takes the connection for dead. The headers leave at once, frames that are ready together leave
/// together.
/// </summary>
/// <remarks>
/// A failure on the way is an <c>error</c> event and the end. When the client goes away the reading stops and nothing else. When the
/// gateway stops the connection is cut, since an orderly end would say that there is nothing more.
/// </remarks>
/// <param name="frames">The events. The enumeration must heed its token.</param>
/// <param name="after">The last id that the client has seen, or null; a failure before the first event keeps it there.</param>
internal sealed partial class EventStreamResult(IAsyncEnumerable<EventFrame> frames, long? after) : IResult
{
    /// <summary>The content type of every stream.</summary>
    public const string ContentType = "text/event-stream";

    /// <summary>
    /// What a client has seen that has seen nothing, and the id of an event that nobody can come back to. It stands in no frame: a client that came back with it would
    /// miss the first.
    /// </summary>
    public const long NoId = -1;

    private const int MaxUnflushedBytes = 64 * 1_024;

    private static readonly TimeSpan PingInterval = TimeSpan.FromSeconds(15);

    private long _lastId = after ?? NoId;
    private long _unflushedBytes;

    public async Task ExecuteAsync(HttpContext httpContext)
    {
        var services = httpContext.RequestServices;
        var stopping = services.GetRequiredService<IHostApplicationLifetime>().ApplicationStopping;
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(httpContext.RequestAborted, stopping);

        var response = httpContext.Response;
        response.ContentType = ContentType;
        response.Headers.CacheControl = "no-cache";
        response.Headers["X-Accel-Buffering"] = "no";
        httpContext.Features.GetRequiredFeature<IHttpResponseBodyFeature>().DisableBuffering();
        await response.StartAsync(ended.Token);

        await using var writer = new Utf8JsonWriter(response.BodyWriter, JsonAnswer.WriterOptions);
        try
        {
            await SendAsync(response.BodyWriter, writer, services.GetRequiredService<TimeProvider>(), ended);
        }
        catch (OperationCanceledException) when (ended.IsCancellationRequested)
        {
            if (stopping.IsCancellationRequested)
            {
                httpContext.Abort();
            }
        }
        catch (Exception exception) when (!ended.IsCancellationRequested)
        {
            var traceId = RefusalHandler.TraceIdOf(httpContext);
            var refusal = Refusals.Of(exception, traceId);
            LogFailed(services.GetRequiredService<ILogger<EventStreamResult>>(), traceId, refusal.Body.Code, exception);
            writer.Reset(response.BodyWriter);
            Write(response.BodyWriter, writer, new ErrorFrame(_lastId, refusal));
            await response.BodyWriter.FlushAsync(ended.Token);
        }
    }

    private async Task SendAsync(PipeWriter output, Utf8JsonWriter writer, TimeProvider time, CancellationTokenSource ended)
    {
        await using var source = frames.GetAsyncEnumerator(ended.Token);
        while (true)
        {
            var step = source.MoveNextAsync();
            var hasNext = step.IsCompleted ? await step : await WaitAsync(step.AsTask(), output, time, ended);
            if (!hasNext)
            {
                await FlushAsync(output, ended.Token);
                return;
            }

            Write(output, writer, source.Current);
            if (_unflushedBytes >= MaxUnflushedBytes)
            {
                await FlushAsync(output, ended.Token);
            }
        }
    }

    /// <summary>Sends what is ready and waits for the next event. The token ends the source, and so the wait.</summary>
    private async Task<bool> WaitAsync(Task<bool> next, PipeWriter output, TimeProvider time, CancellationTokenSource ended)
    {
        try
        {
            await FlushAsync(output, ended.Token);
            while (!next.IsCompleted)
            {
                await ((Task)next).WaitAsync(PingInterval, time, CancellationToken.None).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                if (!next.IsCompleted)
                {
                    output.Write(": ping\n\n"u8);
                    await FlushAsync(output, ended.Token);
                }
            }
        }
        catch
        {
            // A source cannot be let go of in mid-step.
            await ended.CancelAsync();
            await ((Task)next).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            throw;
        }

        return await next;
    }

    private async ValueTask FlushAsync(PipeWriter output, CancellationToken cancellationToken)
    {
        _unflushedBytes = 0;
        await output.FlushAsync(cancellationToken);
    }

    private void Write(PipeWriter output, Utf8JsonWriter writer, EventFrame frame)
    {
        const int MaxDigits = 20;
        if (frame.Id != NoId)
        {
            output.Write("id: "u8);
            Utf8Formatter.TryFormat(frame.Id, output.GetSpan(MaxDigits), out var digits);
            output.Advance(digits);
            output.Write("\n"u8);
        }

        output.Write("event: "u8);
        output.Write(frame.Event);
        output.Write("\ndata: "u8);

        writer.Reset();
        frame.WriteData(writer);
        writer.Flush();
        output.Write("\n\n"u8);

        _unflushedBytes += MaxDigits + frame.Event.Length + writer.BytesCommitted;
        _lastId = frame.Id;
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Stream {TraceId} ended with {Code}.")]
    private static partial void LogFailed(ILogger logger, string traceId, string code, Exception exception);
}
