using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Cerver.Errors;
using Cerver.Grains.Computes;
using Cerver.Grains.Computes.Relays;

namespace Cerver.Relay;

/// <summary>Carries out what the gateway asks for.</summary>
internal sealed partial class RelayRequests(RelaySandboxHost host, RelayFiles files, ILogger<RelayRequests> logger)
{
    private static readonly ImmutableDictionary<string, string> JsonHeaders = ImmutableDictionary.Create<string, string>(StringComparer.Ordinal).Add("content-type", "application/json");

    /// <summary>Carries out a request. Whatever goes wrong is an answer too.</summary>
    public async Task<RelayResponse> AnswerAsync(RelayFrame request, CancellationToken cancellationToken)
    {
        try
        {
            var (status, body) = await RouteAsync(request, cancellationToken);
            return new RelayResponse("response", request.RequestId!, status, JsonHeaders, body);
        }
        catch (CerverException refusal)
        {
            var (status, word) = RelayRefusals.Of(refusal.Code);
            return Refuse(request, status, word, refusal.Message, refusal.Field);
        }
        catch (SandboxDownException)
        {
            return Refuse(request, 409, RelayWords.Closed, "The sandbox is not up on this machine.");
        }
        catch (JsonException)
        {
            return Refuse(request, 400, "invalid_request", "The body is not what this route takes.");
        }
        catch (Exception failure) when (failure is not OperationCanceledException)
        {
            LogFailed(failure, request.Method, request.Path);
            return Refuse(request, 500, "internal", "The relay could not do it; its log says why.");
        }
    }

    /// <summary>Nobody asks on this line any more, and what was begun on it is not gone on with.</summary>
    public Task EndAsync() => files.ForgetUploadsAsync();

    /// <summary>Reads the body of a request.</summary>
    /// <exception cref="JsonException">It is none that the route takes.</exception>
    public static T Read<T>(RelayFrame request, JsonTypeInfo<T> type) =>
        request.Body is { } body && body.Deserialize(type) is { } read ? read : throw new JsonException();

    /// <summary>The body of an answer.</summary>
    public static JsonElement Write<T>(T value, JsonTypeInfo<T> type) => JsonSerializer.SerializeToElement(value, type);

    private async Task<(int Status, JsonElement? Body)> RouteAsync(RelayFrame request, CancellationToken cancellationToken)
    {
        var parts = (request.Path ?? "").Split('?')[0].Split('/', StringSplitOptions.RemoveEmptyEntries);
        if (parts is not ["api", "cerver", "provider", .. var rest])
        {
            throw NoRoute(request);
        }

        switch (request.Method, rest)
        {
            case ("GET", []):
                return (200, Write(RelayCapabilities.Of(host.Describe()), RelayProgramJson.Default.RelayCapabilities));
            case ("GET", ["sandboxes"]):
                return (200, Write(new RelaySandboxes(await host.ListAsync(cancellationToken)), RelayJson.Default.RelaySandboxes));
            case ("POST", ["sandboxes"]):
                return (201, Write(await host.OpenAsync(Read(request, RelayJson.Default.OpenRelaySandbox), cancellationToken), RelayJson.Default.RelaySandbox));
            case ("DELETE", ["sandboxes", var id]):
                await host.RemoveAsync(id, cancellationToken);
                return (204, null);
            case ("POST", ["sandboxes", var id, "close"]):
                return (200, Write(await host.CloseAsync(id), RelayJson.Default.RelaySandbox));
            case ("POST", ["sandboxes", var id, "runs"]):
                await host.StartAsync(id, Read(request, RelayJson.Default.StartRelayRun), cancellationToken);
                return (202, null);
            case ("POST", ["sandboxes", _, "runs", var runId, "stop"]):
                host.Stop(runId, Read(request, RelayJson.Default.StopRelayRun));
                return (202, null);
            case ("POST", ["sandboxes", _, "runs", var runId, "forget"]):
                host.Forget(runId);
                return (202, null);
            case (_, ["sandboxes", var id, "files", .. var route]):
                return await files.AnswerAsync(request, id, route, cancellationToken) ?? throw NoRoute(request);
            default:
                throw NoRoute(request);
        }
    }

    private static CerverException NoRoute(RelayFrame request) => new(CerverError.NotFound, $"This relay has no route {request.Method} {request.Path}.");

    private static RelayResponse Refuse(RelayFrame request, int status, string error, string message, string? field = null) =>
        new("response", request.RequestId!, status, JsonHeaders, Write(new RelayRefusal(error, message, field), RelayJson.Default.RelayRefusal));

    [LoggerMessage(Level = LogLevel.Error, Message = "The request {Method} {Path} failed")]
    private partial void LogFailed(Exception failure, string? method, string? path);
}
