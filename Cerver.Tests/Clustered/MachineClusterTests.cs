using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using Cerver.Api;
using Cerver.Computes;
using Cerver.Errors;
using Cerver.Tests.Computes.Machines;
using Cerver.Tests.Storage;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Orleans.Runtime;
using Orleans.TestingHost;
using static Cerver.Tests.Computes.Machines.MachineGateway;

namespace Cerver.Tests.Clustered;

/// <summary>Machines where the socket is at one process and the grain at another.</summary>
public sealed class MachineClusterTests : IAsyncLifetime
{
    private const string Account = "workshop";

    private readonly string _computeId = NewId();
    private readonly List<WebApplication> _frontDoors = [];
    private PostgresTestDatabase _database = null!;
    private SiloCluster _cluster = null!;

    private IMachineGrain Machine => _cluster.Client.GetGrain<IMachineGrain>(MachineKey.For(Account, _computeId));

    public async Task InitializeAsync()
    {
        _database = await PostgresTestDatabase.CreateAsync();
        _cluster = await SiloCluster.StartAsync(_database, silos: 3);
    }

    public async Task DisposeAsync()
    {
        foreach (var frontDoor in _frontDoors)
        {
            await frontDoor.DisposeAsync();
        }

        await _cluster.DisposeAsync();
        await _database.DisposeAsync();
    }

    [Fact]
    public async Task Any_front_door_holds_the_socket_and_the_last_one_dialled_is_the_machines()
    {
        var (first, second) = (await StartFrontDoorAsync(), await StartFrontDoorAsync());
        await RegisterAsync(first);
        await using var old = await ScriptedRelay.ConnectAsync(first, _computeId, Token);
        Assert.Equal("\"first\"", await AskAsync(old, "first"));

        await using var latest = await ScriptedRelay.ConnectAsync(second, _computeId, Token);

        Assert.Null(await old.EndedAsync());
        Assert.Equal("\"second\"", await AskAsync(latest, "second"));
    }

    [Fact]
    public async Task A_machine_outlives_the_silo_of_its_grain_and_keeps_its_socket()
    {
        var frontDoor = await StartFrontDoorAsync();
        await RegisterAsync(frontDoor);
        await using var relay = await ScriptedRelay.ConnectAsync(frontDoor, _computeId, Token);
        var underWay = Machine.RequestAsync(Request());
        await relay.NextAsync();

        await _cluster.KillAsync(await SiloAsync());

        await Assert.ThrowsAnyAsync<Exception>(() => underWay);
        await ReadyAgainAsync();
        Assert.Equal("\"still there\"", await AskAsync(relay, "still there"));
    }

    [Fact]
    public async Task A_silo_that_stops_does_not_wait_for_what_is_under_way_to_machines()
    {
        var frontDoor = await StartFrontDoorAsync();
        await RegisterAsync(frontDoor);
        await using var relay = await ScriptedRelay.ConnectAsync(frontDoor, _computeId, Token);
        var underWay = Machine.RequestAsync(Request("POST", deadline: TimeSpan.FromSeconds(170)));
        await relay.NextAsync();

        await _cluster.StopAsync(await SiloAsync());

        var failure = await Assert.ThrowsAsync<CerverException>(() => underWay);
        Assert.Equal(CerverError.ComputeOffline, failure.Code);
        await ReadyAgainAsync();
        Assert.Equal("\"still there\"", await AskAsync(relay, "still there"));
    }

    [Fact]
    public async Task A_heartbeat_that_cannot_be_stored_is_refused_and_counts_and_the_socket_stays()
    {
        var frontDoor = await StartFrontDoorAsync();
        await RegisterAsync(frontDoor);
        await using var relay = await ScriptedRelay.ConnectAsync(frontDoor, _computeId, Token);
        await _database.ScalarAsync("alter table grain_state rename to away");

        var refusal = await Assert.ThrowsAsync<CerverException>(() => Machine.HeartbeatAsync(new(Metadata: """{"lost":true}""")));
        var answer = await AskAsync(relay, "still there");
        await _database.ScalarAsync("alter table away rename to grain_state");
        var beaten = await Machine.HeartbeatAsync(new());

        Assert.Equal((CerverError.StorageUnavailable, "\"still there\""), (refusal.Code, answer));
        Assert.Equal((ComputeStatus.Ready, null), (beaten.Status, beaten.Machine!.Metadata));
        Assert.Equal("\"and still\"", await AskAsync(relay, "and still"));
    }

    [Fact]
    public async Task An_input_whose_silo_dies_while_the_agent_is_told_is_not_told_again()
    {
        using var client = Caller(await StartFrontDoorAsync());
        await RegisterAsync(client.BaseAddress!);
        await using var relay = await ScriptedRelay.ConnectAsync(client.BaseAddress!, _computeId, Token);
        var session = await CreateAsync(client, relay);
        var telling = TellAsync(client, session);
        await NextRequestAsync(relay);

        await _cluster.KillAsync(await SiloAsync(_cluster.Session(Account, session)));

        using var told = await telling;
        var refusal = await told.Content.ReadFromJsonAsync<JsonElement>();
        Assert.Equal(HttpStatusCode.BadGateway, told.StatusCode);
        Assert.StartsWith("The input is entry 0 of the transcript", refusal.GetProperty("error").GetString(), StringComparison.Ordinal);
        await ReadyAgainAsync();
        Assert.Equal("\"still there\"", await AskAsync(relay, "still there"));
    }

    [Fact]
    public async Task An_input_that_the_agent_has_heard_is_answered_so_though_that_cannot_be_stored()
    {
        using var client = Caller(await StartFrontDoorAsync());
        await RegisterAsync(client.BaseAddress!);
        await using var relay = await ScriptedRelay.ConnectAsync(client.BaseAddress!, _computeId, Token);
        var session = await CreateAsync(client, relay);
        var telling = TellAsync(client, session);
        var input = await NextRequestAsync(relay);
        await _database.ScalarAsync("alter table idempotency rename to away");
        await relay.AnswerAsync(input, new { ok = true });
        using var told = await telling;
        await _database.ScalarAsync("alter table away rename to idempotency");

        using var again = await TellAsync(client, session);

        Assert.Equal((HttpStatusCode.OK, HttpStatusCode.BadGateway), (told.StatusCode, again.StatusCode));
        Assert.Equal("\"still there\"", await AskAsync(relay, "still there"));
    }

    private async Task<InProcessSiloHandle> SiloAsync(IAddressable? grain = null)
    {
        var address = await _cluster.Client.GetGrain<IManagementGrain>(0).GetActivationAddress(grain ?? Machine);
        return _cluster.Silos.Single(silo => silo.SiloAddress.Equals(address));
    }

    private async Task ReadyAgainAsync()
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(1));
        using var poll = new PeriodicTimer(TimeSpan.FromMilliseconds(100));
        while ((await Machine.DescribeAsync(limit.Token))!.Status != ComputeStatus.Ready)
        {
            await poll.WaitForNextTickAsync(limit.Token);
        }
    }

    private async Task<string?> AskAsync(ScriptedRelay relay, string answer)
    {
        var asked = Machine.RequestAsync(Request());
        var request = await NextRequestAsync(relay);
        Assert.Equal("GET", request.GetProperty("method").GetString());
        await relay.AnswerAsync(request, answer);
        return (await asked).Body;
    }

    private static async Task<JsonElement> NextRequestAsync(ScriptedRelay relay)
    {
        JsonElement frame;
        do
        {
            frame = await relay.NextAsync();
        }
        while (!frame.GetProperty("type").ValueEquals("request"));
        return frame;
    }

    private static HttpClient Caller(Uri frontDoor) => new() { BaseAddress = frontDoor, DefaultRequestHeaders = { Authorization = new AuthenticationHeaderValue("Bearer", Token) } };

    private async Task<string> CreateAsync(HttpClient client, ScriptedRelay relay)
    {
        var creating = client.PostAsJsonAsync("/v2/sessions", new { compute = _computeId });
        await relay.AnswerAsync(await NextRequestAsync(relay), new { sandbox_id = "agent", status = "ready" }, status: 201);
        using var created = await creating;
        Assert.Equal(HttpStatusCode.Created, created.StatusCode);
        return (await created.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("session_id").GetString()!;
    }

    /// <summary>Tells the agent something, always under the same key.</summary>
    private static async Task<HttpResponseMessage> TellAsync(HttpClient client, string session)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, $"/v2/sessions/{session}/input") { Content = JsonContent.Create(new { content = "Go on.", role = "user" }) };
        request.Headers.Add("Idempotency-Key", "once");
        return await client.SendAsync(request);
    }

    private async Task RegisterAsync(Uri frontDoor)
    {
        using var client = Caller(frontDoor);
        using var registered = await client.PostAsJsonAsync("/v2/computes/register", new { compute_id = _computeId });
        Assert.Equal(HttpStatusCode.OK, registered.StatusCode);
    }

    /// <summary>A front door, which is a client of the silos.</summary>
    private async Task<Uri> StartFrontDoorAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrel().UseUrls("http://127.0.0.1:0");
        builder.Configuration.AddInMemoryCollection([new($"Cerver:Auth:Tokens:{Account}", Token)]);
        builder.Services.AddSingleton(TimeProvider.System);
        builder.Services.AddCerverApi(builder.Configuration, isCluster: true);
        builder.Services.AddSingleton(_cluster.Client);
        var app = builder.Build().MapCerverApi();
        _frontDoors.Add(app);
        await app.StartAsync();
        return new Uri(app.Urls.Single());
    }
}
