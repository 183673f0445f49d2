using System.Globalization;
using System.Reflection;
using System.Text.Json;
using System.Text.Json.Nodes;
using Cerver.Api.Answers;
using Cerver.Api.Errors;
using Cerver.Computes;
using Cerver.Errors;
using Microsoft.AspNetCore.WebUtilities;

namespace Cerver.Api.Reference;

/// <summary>
/// Examples for the API reference: those of each route from <c>examples.json</c>, those of refusals from the table that makes them.
/// </summary>
internal static class Examples
{
    public const string SessionId = "01980c5e-7a10-7c3f-9d52-6f0f5a3e1b77";
    public const string SecretName = "DEPLOY_TOKEN";
    public const string VaultId = "vault_01980c5e7a10700a9b1e2d3c4f5a6b7c";
    public const string ComputeId = "comp_5f8a7d164b20c3d1";
    public const string FilePath = "src/main.py";
    public const string RunId = "run_01980c5e7b2270418a6d0c9e4f1a2b3c";

    private static readonly Lazy<JsonObject> Routes = new(ReadRoutes);

    /// <summary>A body that the route takes.</summary>
    public static JsonNode? RequestOf(string operationId) => Routes.Value[operationId]?["request"]?.DeepClone();

    /// <summary>What the route answers; a route that answers in several types has an example for each.</summary>
    public static JsonNode? AnswerOf(string operationId, string status, string contentType) =>
        (Routes.Value[operationId]?[$"{status} {contentType}"] ?? Routes.Value[operationId]?[status])?.DeepClone() ?? RefusalOf(status);

    /// <summary>What a status means, for those that every route shares.</summary>
    public static string? MeaningOf(string status) => RefusalOf(status) is null ? null : status switch
    {
        "400" => "A field or a parameter has a value that is not allowed; `field` names it.",
        "401" => "The token is missing or unknown.",
        "404" => "Not there, or another account's.",
        "409" => "Not in the state that the call needs: `conflict`, `no_compute` (with a report), `not_resumable`, `session_ended` or `run_active`.",
        "413" => "Larger than its limit.",
        "415" => "Not declared as what this route takes, which is JSON but for imports.",
        "416" => "The file has no bytes in the `Range`; `Content-Range` says how many it has.",
        "422" => "The `Idempotency-Key` stands for another request: `idempotency_mismatch`.",
        "429" => "Too many at once; `Retry-After` says when to come back.",
        "500" => "A mistake in the gateway. Its log has more under the `trace_id`.",
        "502" => "The provider of the compute did not do its part.",
        "503" => "Not now: `storage_unavailable`, `compute_offline`, `unavailable`, or `run_lost` when the sandbox went down during a run.",
        "504" => "Took too long. Whether it had its effect is open.",
        _ => ReasonPhrases.GetReasonPhrase(int.Parse(status, CultureInfo.InvariantCulture)),
    };

    private static JsonNode? RefusalOf(string status)
    {
        Exception? exception = status switch
        {
            "400" => new CerverException(CerverError.InvalidRequest, "'limit' must be a whole number from 1 to 200.", "limit"),
            "404" => new CerverException(CerverError.NotFound, "There is no session of this id."),
            "409" => new CerverException(CerverError.NoCompute, "No compute can take this session; the report says what each lacks.", report: Report),
            "413" => new CerverException(CerverError.PayloadTooLarge, "The request body is larger than 8388608 bytes; send less at once."),
            "422" => new CerverException(CerverError.IdempotencyMismatch, "This Idempotency-Key was used for another request within a day. Send a new key with a new request."),
            "429" => new CerverException(CerverError.RateLimited, "32 runs are going on in this sandbox; wait for one to end."),
            "502" => new CerverException(CerverError.ProviderUnavailable, "The sandbox did not come up."),
            "503" => new CerverException(CerverError.StorageUnavailable, "The database takes no writes; nothing was changed."),
            "401" or "415" or "416" => new BadHttpRequestException(string.Empty, int.Parse(status, CultureInfo.InvariantCulture)),
            "504" => new TimeoutException(),
            "500" => new InvalidOperationException(),
            _ => null,
        };
        return exception is null ? null : JsonSerializer.SerializeToNode(Refusals.Of(exception, "4bf92f3577b34da6a3ce929d0e0e4736").Body, AnswerJson.Default.ErrorBody);
    }

    private static ComputeReport Report { get; } = new(
        """{"runtime":"python"}""", [new("local", "provider_local", Ready: false, ["bubblewrap is not installed."])]);

    private static JsonObject ReadRoutes()
    {
        using var stream = Assembly.GetExecutingAssembly().GetManifestResourceStream("examples.json")
            ?? throw new InvalidOperationException("The build left out examples.json.");
        return JsonNode.Parse(stream)!.AsObject();
    }
}
