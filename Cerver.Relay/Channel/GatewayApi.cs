using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using Microsoft.Extensions.Options;

namespace Cerver.Relay.Channel;

/// <summary>The gateway's API, as far as a machine needs it.</summary>
internal sealed class GatewayApi(HttpClient client, IOptions<RelaySettings> settings, MachineName machine)
{
    private const string Transport = "cerver_connect";
    private const string Provider = "cerver_local_provider";

    /// <summary>What a gateway, or a proxy before it, may answer to a registration that it does not take.</summary>
    private static readonly ImmutableArray<HttpStatusCode> GatewayRefusals =
    [
        HttpStatusCode.BadRequest,
        HttpStatusCode.Unauthorized,
        HttpStatusCode.Forbidden,
        HttpStatusCode.Conflict,
        HttpStatusCode.RequestEntityTooLarge,
        HttpStatusCode.TooManyRequests,
        HttpStatusCode.InternalServerError,
        HttpStatusCode.BadGateway,
        HttpStatusCode.ServiceUnavailable,
        HttpStatusCode.GatewayTimeout,
    ];

    /// <summary>How a client for it is made.</summary>
    public static void Configure(IServiceProvider services, HttpClient client)
    {
        var settings = services.GetRequiredService<IOptions<RelaySettings>>().Value;
        client.BaseAddress = settings.Url;
        client.Timeout = TimeSpan.FromSeconds(30);
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", settings.Token);
    }

    /// <summary>Registers this machine, or once more with what it can do now.</summary>
    /// <exception cref="GatewayRefusedException">The gateway does not want it, and will not when it is asked again.</exception>
    /// <exception cref="HttpRequestException">It cannot be reached now.</exception>
    public async Task RegisterAsync(RelayCapabilities capabilities, CancellationToken cancellationToken)
    {
        var registration = new Registration(machine.ComputeId, settings.Value.Label ?? Environment.MachineName, "host", Provider, capabilities, new Connection(Transport));
        using var response = await client.PostAsJsonAsync("/v2/computes/register", registration, RelayProgramJson.Default.Registration, cancellationToken);
        if (!response.IsSuccessStatusCode && !GatewayRefusals.Contains(response.StatusCode))
        {
            var sentence = $"What answers at {settings.Value.Url} may not be a gateway, as none answers a registration with {(int)response.StatusCode}: check --url.";

            // What has no such address will not get one; anything else may be a proxy whose gateway is not up yet.
            throw response.StatusCode == HttpStatusCode.NotFound ? new GatewayRefusedException(sentence) : new HttpRequestException(sentence);
        }

        await RequireAsync(response, isFinal: response.StatusCode == HttpStatusCode.Conflict, cancellationToken);
    }

    /// <summary>Says that this machine is there.</summary>
    /// <inheritdoc cref="RegisterAsync" path="/exception"/>
    public async Task BeatAsync(RelayCapabilities capabilities, CancellationToken cancellationToken)
    {
        var heartbeat = new Heartbeat(capabilities.Reason is null ? "online" : "unconfigured", capabilities);
        using var response = await client.PostAsJsonAsync($"/v2/computes/{machine.ComputeId}/heartbeat", heartbeat, RelayProgramJson.Default.Heartbeat, cancellationToken);
        await RequireAsync(response, isFinal: false, cancellationToken);
    }

    private static async Task RequireAsync(HttpResponseMessage response, bool isFinal, CancellationToken cancellationToken)
    {
        if (response.IsSuccessStatusCode)
        {
            return;
        }

        var body = await response.Content.ReadAsStringAsync(cancellationToken);
        throw isFinal || response.StatusCode is HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden or HttpStatusCode.NotFound or HttpStatusCode.BadRequest
            ? new GatewayRefusedException($"The gateway refused this machine ({(int)response.StatusCode}): {body}")
            : new HttpRequestException($"The gateway answered {(int)response.StatusCode}.");
    }
}

/// <summary>The gateway does not want this machine.</summary>
internal sealed class GatewayRefusedException(string message) : Exception(message);

/// <summary>What this machine is called.</summary>
/// <param name="ComputeId">The id that it has chosen.</param>
internal sealed record MachineName(string ComputeId);
