using System.Collections.Immutable;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using Cerver.Computes;
using Cerver.Silo;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;

namespace Cerver.Tests.Computes.Machines;

/// <summary>The whole gateway behind real HTTP, with two accounts, to which machines dial in.</summary>
public sealed class MachineGateway : IAsyncLifetime
{
    internal const string Token = "test-token-of-the-machines-account";
    internal const string OtherToken = "test-token-of-some-other-account";

    private readonly string _path = Directory.CreateTempSubdirectory("cerver-machines-").FullName;
    private readonly string[] _settings;
    private WebApplication? _app;

    public MachineGateway()
        : this([])
    {
    }

    internal MachineGateway(params string[] settings) => _settings = settings;

    /// <summary>Calls as the account of the machines.</summary>
    internal HttpClient Client { get; private set; } = new();

    /// <summary>Calls as the other account.</summary>
    internal HttpClient Other { get; private set; } = new();

    internal Uri Address { get; private set; } = new("http://127.0.0.1");

    internal string DataDirectory => _path;

    internal IServiceProvider Services => _app!.Services;

    public Task InitializeAsync() => StartAsync();

    public async Task DisposeAsync()
    {
        await StopAsync();
        Directory.Delete(_path, recursive: true);
    }

    /// <summary>Stops the gateway and starts it again over the same data.</summary>
    internal async Task RestartAsync()
    {
        await StopAsync();
        await StartAsync();
    }

    /// <summary>An id that no machine has.</summary>
    internal static string NewId() => $"comp_{Guid.NewGuid():n}"[..21];

    /// <summary>Registers a machine.</summary>
    internal async Task<string> RegisterAsync(string? computeId = null)
    {
        computeId ??= NewId();
        using var registered = await Client.PostAsJsonAsync("/v2/computes/register", new { compute_id = computeId, label = "workshop", kind = "local" });
        Assert.True(registered.IsSuccessStatusCode, await registered.Content.ReadAsStringAsync());
        return computeId;
    }

    /// <summary>A machine that has registered and dialled in.</summary>
    internal async Task<(string ComputeId, ScriptedRelay Relay)> ConnectAsync()
    {
        var computeId = await RegisterAsync();
        return (computeId, await ScriptedRelay.ConnectAsync(Address, computeId, Token));
    }

    internal IMachineGrain Machine(string computeId) => Services.GetRequiredService<IGrainFactory>().GetGrain<IMachineGrain>(MachineKey.For("default", computeId));

    /// <summary>A request to a machine.</summary>
    internal static MachineRequest Request(string method = "GET", string path = "/api/cerver/provider", string? body = null, TimeSpan? deadline = null) =>
        new(method, path, ImmutableDictionary<string, string>.Empty, body, deadline ?? TimeSpan.FromSeconds(30));

    /// <summary>What the gateway says of a compute.</summary>
    internal Task<JsonElement> GetAsync(string computeId) => Client.GetFromJsonAsync<JsonElement>($"/v2/computes/{computeId}");

    /// <summary>Waits until a machine has a status.</summary>
    internal async Task<JsonElement> UntilAsync(string computeId, string status)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        using var poll = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        while (true)
        {
            var machine = await GetAsync(computeId);
            if (machine.GetProperty("status").ValueEquals(status))
            {
                return machine;
            }

            await poll.WaitForNextTickAsync(limit.Token);
        }
    }

    /// <summary>Asks the gateway to stop, and leaves what it is made of as it is.</summary>
    internal Task ShutDownAsync() => _app!.StopAsync();

    private async Task StartAsync()
    {
        _app = await Gateway.BuildAsync(
            [
                "--urls", "http://127.0.0.1:0", "--CERVER_DATA", _path, "--CERVER_API_TOKEN", Token, "--Cerver:Auth:Tokens:other", OtherToken,
                "--Cerver:Compute:Local:Enabled", "false", "--Logging:LogLevel:Default", "Warning", .. _settings,
            ],
            CancellationToken.None);
        await _app.StartAsync();
        Address = new Uri(_app.Urls.Single());
        (Client, Other) = (NewClient(Token), NewClient(OtherToken));
    }

    private async Task StopAsync()
    {
        Client.Dispose();
        Other.Dispose();
        await _app!.StopAsync();
        await _app.DisposeAsync();
    }

    private HttpClient NewClient(string token) => new()
    {
        BaseAddress = Address,
        DefaultRequestHeaders = { Authorization = new AuthenticationHeaderValue("Bearer", token) },
    };
}
