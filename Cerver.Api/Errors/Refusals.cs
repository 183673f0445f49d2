using System.Diagnostics;
using System.Globalization;
using Cerver.Api.Answers;
using Cerver.Computes;
using Cerver.Errors;
using Orleans.Networking.Shared;
using Orleans.Runtime;
using Orleans.Runtime.Messaging;

namespace Cerver.Api.Errors;

/// <summary>A refusal as it goes over the wire.</summary>
/// <param name="Status">The HTTP status.</param>
/// <param name="Body">The body.</param>
/// <param name="RetryAfterSeconds">When it makes sense to come back, or null.</param>
internal sealed record Refusal(int Status, ErrorBody Body, int? RetryAfterSeconds = null);

/// <summary>The one table from whatever went wrong to what the caller is told.</summary>
internal static class Refusals
{
    /// <summary>The code of a run whose sandbox went down under it.</summary>
    public const string RunLostCode = "run_lost";

    private const int SoonSeconds = 1;

    public static Refusal Unauthorized { get; } =
        Make(StatusCodes.Status401Unauthorized, "unauthorized", "Send a valid token as 'Authorization: Bearer TOKEN'.");

    public static Refusal Unavailable { get; } =
        Make(StatusCodes.Status503ServiceUnavailable, "unavailable", "The gateway cannot serve this right now; try again in a moment.", SoonSeconds);

    /// <summary>The status and the word of a refusal by a grain.</summary>
    public static (int Status, string Code) Describe(CerverError error) => error switch
    {
        CerverError.InvalidRequest => (StatusCodes.Status400BadRequest, "invalid_request"),
        CerverError.NotFound => (StatusCodes.Status404NotFound, "not_found"),
        CerverError.Conflict => (StatusCodes.Status409Conflict, "conflict"),
        CerverError.NoCompute => (StatusCodes.Status409Conflict, "no_compute"),
        CerverError.NotResumable => (StatusCodes.Status409Conflict, "not_resumable"),
        CerverError.SessionEnded => (StatusCodes.Status409Conflict, "session_ended"),
        CerverError.RunActive => (StatusCodes.Status409Conflict, "run_active"),
        CerverError.PayloadTooLarge => (StatusCodes.Status413PayloadTooLarge, "payload_too_large"),
        CerverError.RateLimited => (StatusCodes.Status429TooManyRequests, "rate_limited"),
        CerverError.ComputeOffline => (StatusCodes.Status503ServiceUnavailable, "compute_offline"),

        // For the caller a machine of the gateway's is like one of his own that is away.
        CerverError.HostUnavailable => (StatusCodes.Status503ServiceUnavailable, "compute_offline"),
        CerverError.ProviderUnavailable => (StatusCodes.Status502BadGateway, "provider_unavailable"),
        CerverError.IdempotencyMismatch => (StatusCodes.Status422UnprocessableEntity, "idempotency_mismatch"),
        CerverError.SecretNotFound => (StatusCodes.Status404NotFound, "secret_not_found"),
        CerverError.SecretBackendUnavailable => (StatusCodes.Status502BadGateway, "secret_backend_unavailable"),
        CerverError.StorageUnavailable => (StatusCodes.Status503ServiceUnavailable, "storage_unavailable"),

        // The same word, because the caller can do the same about it; the sentence says that it may have had its effect.
        CerverError.StorageInDoubt => (StatusCodes.Status503ServiceUnavailable, "storage_unavailable"),

        // The same call was made again and was overtaken again.
        CerverError.Fenced => (StatusCodes.Status409Conflict, "conflict"),
        _ => throw new UnreachableException($"No answer for {error}."),
    };

    /// <summary>What a caller is told about an exception. Whatever is not known here stays inside.</summary>
    /// <param name="exception">What went wrong.</param>
    /// <param name="traceId">What an operator finds the rest by.</param>
    public static Refusal Of(Exception exception, string traceId) => exception switch
    {
        CerverException refusal when Enum.IsDefined(refusal.Code) => Of(refusal),
        BadHttpRequestException request => OfStatus(request.StatusCode),
        TimeoutException => Make(
            StatusCodes.Status504GatewayTimeout, "timeout", "The gateway took too long. Look whether the call had its effect before you repeat it.", SoonSeconds),
        OrleansMessageRejectionException or ConnectionFailedException or SocketConnectionException or GatewayTooBusyException or LimitExceededException or ClientNotAvailableException
            or EnumerationAbortedException or OrleansLifecycleCanceledException or OperationCanceledException => Unavailable,
        _ => new(StatusCodes.Status500InternalServerError, new ErrorBody
        {
            Error = "Something went wrong inside the gateway. Tell its operator the trace id.",
            Code = "internal",
            TraceId = traceId,
        }),
    };

    /// <summary>What a caller is told when the framework refuses with nothing but a status.</summary>
    public static Refusal OfStatus(int status) => status switch
    {
        StatusCodes.Status401Unauthorized => Unauthorized,
        StatusCodes.Status403Forbidden => Make(status, "forbidden", "This token may not do that."),
        StatusCodes.Status404NotFound => Make(status, "not_found", "There is nothing at this address; '/openapi/v1.json' lists every route."),
        StatusCodes.Status405MethodNotAllowed => Make(status, "invalid_request", "This address does not take this method; the 'Allow' header lists those it takes."),
        StatusCodes.Status408RequestTimeout => Make(status, "timeout", "The request arrived too slowly; send it again."),
        StatusCodes.Status413PayloadTooLarge => Make(status, "payload_too_large", "The request body is too large; send less at once."),
        StatusCodes.Status415UnsupportedMediaType => Make(status, "invalid_request", "Send the body as JSON, with 'Content-Type: application/json'; a file to import with 'Content-Type: application/x-ndjson'."),
        StatusCodes.Status416RangeNotSatisfiable => Make(status, "invalid_request", "The file has no bytes in this range; the 'Content-Range' header says how many it has."),
        StatusCodes.Status503ServiceUnavailable => Unavailable,
        _ => Make(status, "invalid_request", "The request is not one that this gateway understands."),
    };

    /// <summary>A run that ended because its sandbox went down or the database took no more of its output.</summary>
    public static Refusal RunLost(string runId) => new(StatusCodes.Status503ServiceUnavailable, new ErrorBody
    {
        Error = "The run was lost: its sandbox went down, or its output could not be stored. What was stored is kept; run it again if that is safe.",
        Code = RunLostCode,
        RunId = runId,
    });

    /// <summary>Sends a refusal. Only for a response that has not started.</summary>
    public static Task WriteAsync(HttpContext context, Refusal refusal)
    {
        if (refusal.RetryAfterSeconds is { } seconds)
        {
            context.Response.Headers.RetryAfter = seconds.ToString(CultureInfo.InvariantCulture);
        }

        return JsonAnswer.WriteAsync(context.Response, refusal.Status, refusal.Body, AnswerJson.Default.ErrorBody);
    }

    private static Refusal Of(CerverException refusal)
    {
        var (status, code) = Describe(refusal.Code);
        var retryAfter = refusal.Code is CerverError.RateLimited or CerverError.StorageUnavailable or CerverError.StorageInDoubt or CerverError.HostUnavailable
            ? SoonSeconds
            : (int?)null;
        var body = new ErrorBody
        {
            Error = refusal.Message,
            Code = code,
            Field = refusal.Field,
            Report = Of(refusal.Report),
            TranscriptTotal = refusal.TranscriptTotal,
        };
        return new(status, body, retryAfter);
    }

    private static ComputeReportBody? Of(ComputeReport? report) => report is null ? null : new()
    {
        Requirements = report.Requirements,
        Candidates = [.. report.Candidates.Select(static candidate => new ComputeCandidateBody
        {
            Provider = candidate.Provider,
            ComputeId = candidate.ComputeId,
            Ready = candidate.Ready,
            Reasons = candidate.Reasons,
        })],
    };

    private static Refusal Make(int status, string code, string error, int? retryAfterSeconds = null) =>
        new(status, new ErrorBody { Error = error, Code = code }, retryAfterSeconds);
}
