using System.Diagnostics;
using Microsoft.AspNetCore.Diagnostics;
using Microsoft.Extensions.Logging;

namespace Cerver.Api.Errors;

/// <summary>Answers every exception by the table of <see cref="Refusals"/>.</summary>
internal sealed partial class RefusalHandler(ILogger<RefusalHandler> logger) : IExceptionHandler
{
    public async ValueTask<bool> TryHandleAsync(HttpContext httpContext, Exception exception, CancellationToken cancellationToken)
    {
        if (httpContext.RequestAborted.IsCancellationRequested)
        {
            return true;
        }

        var traceId = TraceIdOf(httpContext);
        var refusal = Refusals.Of(exception, traceId);
        Log(refusal.Status, traceId, exception);
        await Refusals.WriteAsync(httpContext, refusal);
        return true;
    }

    /// <summary>What the log and the caller call this request.</summary>
    public static string TraceIdOf(HttpContext context) => Activity.Current?.TraceId.ToHexString() ?? context.TraceIdentifier;

    private void Log(int status, string traceId, Exception exception)
    {
        switch (status)
        {
            case StatusCodes.Status500InternalServerError:
                LogFailed(traceId, exception);
                break;
            case > StatusCodes.Status500InternalServerError:
                LogUnavailable(status, traceId, exception);
                break;
        }
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "Request {TraceId} failed.")]
    private partial void LogFailed(string traceId, Exception exception);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Request {TraceId} was answered {Status}.")]
    private partial void LogUnavailable(int status, string traceId, Exception exception);
}
