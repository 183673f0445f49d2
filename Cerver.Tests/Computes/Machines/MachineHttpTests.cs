using System.Net;
using System.Net.Http.Json;
using System.Net.WebSockets;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using static Cerver.Tests.Computes.Machines.MachineGateway;

namespace Cerver.Tests.Computes.Machines;

/// <summary>Machines as their account registers, lists and deletes them.</summary>
public sealed class MachineHttpTests(MachineGateway gateway) : IClassFixture<MachineGateway>
{
    [Fact]
    public async Task A_machine_is_offline_until_it_dials_in_and_when_it_is_gone_and_ready_again_by_itself()
    {
        var computeId = await gateway.RegisterAsync();
        var registered = await gateway.GetAsync(computeId);
        await using var relay = await ScriptedRelay.ConnectAsync(gateway.Address, computeId, Token);
        var connected = await gateway.GetAsync(computeId);
        await relay.CloseAsync();
        var gone = await gateway.UntilAsync(computeId, "offline");
        await using var again = await ScriptedRelay.ConnectAsync(gateway.Address, computeId, Token);
        var back = await gateway.GetAsync(computeId);

        Assert.Equal("offline", registered.GetProperty("status").GetString());
        Assert.Contains("not connected", registered.GetProperty("reason").GetString(), StringComparison.Ordinal);
        Assert.Equal(("ready", JsonValueKind.Null), (connected.GetProperty("status").GetString(), connected.GetProperty("reason").ValueKind));
        Assert.Contains("not connected", gone.GetProperty("reason").GetString(), StringComparison.Ordinal);
        Assert.Equal("ready", back.GetProperty("status").GetString());
    }

    [Fact]
    public async Task What_a_machine_says_of_itself_is_given_back_and_a_heartbeat_changes_it()
    {
        var computeId = NewId();
        using var registered = await gateway.Client.PostAsJsonAsync("/v2/computes/register", new
        {
            compute_id = computeId,
            label = "workshop",
            kind = "local",
            provider = "cerver_local_provider",
            capabilities = new { runtimes = new[] { "shell" }, cli_tools = new[] { "claude" }, local_models = new { ollama = new[] { "llama" } }, git = true },
            metadata = new { machine_name = "workshop" },
            connection = new { transport = "cerver_connect", connect_id = computeId },
        });
        var made = await registered.Content.ReadFromJsonAsync<JsonElement>();
        using var beaten = await gateway.Client.PostAsJsonAsync($"/v2/computes/{computeId}/heartbeat", new { status = "online", capabilities = new { cli_tools = new[] { "codex" } } });
        var changed = await beaten.Content.ReadFromJsonAsync<JsonElement>();
        var listed = (await gateway.Client.GetFromJsonAsync<JsonElement>("/v2/computes")).GetProperty("computes").EnumerateArray().Single(compute => compute.GetProperty("compute_id").ValueEquals(computeId));

        Assert.Equal(HttpStatusCode.OK, registered.StatusCode);
        Assert.Equal(
            (computeId, "workshop", "cerver_local_provider", "private", "local", "default"),
            (made.GetProperty("compute_id").GetString(), made.GetProperty("label").GetString(), made.GetProperty("provider").GetString(), made.GetProperty("scope").GetString(), made.GetProperty("kind").GetString(), made.GetProperty("owner_id").GetString()));
        Assert.Equal(
            """{"runtimes":["shell"],"cli_tools":["claude"],"network":true,"local_models":{"ollama":["llama"]},"git":true}""", Said(made));
        Assert.Equal("""{"machine_name":"workshop"}""", made.GetProperty("metadata").GetRawText());
        Assert.Equal("""{"runtimes":["shell"],"cli_tools":["codex"],"network":true}""", Said(changed));
        Assert.Equal("""{"machine_name":"workshop"}""", changed.GetProperty("metadata").GetRawText());
        Assert.EndsWith("Z", changed.GetProperty("last_heartbeat_at").GetString(), StringComparison.Ordinal);
        Assert.True(changed.GetProperty("last_heartbeat_at").GetDateTimeOffset() >= made.GetProperty("last_heartbeat_at").GetDateTimeOffset());
        Assert.False(listed.TryGetProperty("metadata", out _));
    }

    [Fact]
    public async Task Tokens_are_neither_answered_nor_stored()
    {
        var computeId = NewId();
        var token = $"tok-{Guid.NewGuid():n}";
        using var registered = await gateway.Client.PostAsJsonAsync("/v2/computes/register", new
        {
            compute_id = computeId,
            capabilities = new { max_tokens = 8192, api_key = token },
            metadata = new { cerver_api_token = token, relay = new { Authorization = token, url = "http://127.0.0.1" }, header = $"Bearer {token}" },
            connection = new { transport = "cerver_connect", api_token = token },
        });
        var made = await registered.Content.ReadFromJsonAsync<JsonElement>();

        Assert.Equal("""{"relay":{"url":"http://127.0.0.1"}}""", made.GetProperty("metadata").GetRawText());
        Assert.Equal("""{"runtimes":["shell"],"cli_tools":[],"network":true,"max_tokens":8192}""", Said(made));
        Assert.Empty(await FilesWithAsync(token));
        Assert.NotEmpty(await FilesWithAsync(computeId));
    }

    [Fact]
    public async Task Another_accounts_machine_is_not_there()
    {
        var (computeId, relay) = await gateway.ConnectAsync();
        await using var _ = relay;
        using var read = await gateway.Other.GetAsync(new Uri($"/v2/computes/{computeId}", UriKind.Relative));
        using var beaten = await gateway.Other.PostAsJsonAsync($"/v2/computes/{computeId}/heartbeat", new { status = "offline" });
        using var deleted = await gateway.Other.DeleteAsync(new Uri($"/v2/computes/{computeId}", UriKind.Relative));
        var listed = await gateway.Other.GetStringAsync(new Uri("/v2/computes", UriKind.Relative));
        var dialled = await RefusedAsync(computeId, OtherToken);
        using var same = await gateway.Other.PostAsJsonAsync("/v2/computes/register", new { compute_id = computeId, label = "theirs" });

        Assert.Equal((HttpStatusCode.NotFound, HttpStatusCode.NotFound, HttpStatusCode.NotFound), (read.StatusCode, beaten.StatusCode, deleted.StatusCode));
        Assert.DoesNotContain(computeId, listed, StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.NotFound, dialled);
        var own = await gateway.GetAsync(computeId);
        Assert.Equal((HttpStatusCode.OK, "workshop", "ready"), (same.StatusCode, own.GetProperty("label").GetString(), own.GetProperty("status").GetString()));
    }

    [Fact]
    public async Task A_machine_that_is_deleted_is_broken_off_and_gone()
    {
        var (computeId, relay) = await gateway.ConnectAsync();
        await using var _ = relay;
        var path = new Uri($"/v2/computes/{computeId}", UriKind.Relative);
        using var deleted = await gateway.Client.DeleteAsync(path);
        var ended = await relay.EndedAsync();
        using var again = await gateway.Client.DeleteAsync(path);
        using var read = await gateway.Client.GetAsync(path);
        using var beaten = await gateway.Client.PostAsJsonAsync($"{path}/heartbeat", new { });
        using var unknown = await gateway.Client.DeleteAsync(new Uri($"/v2/computes/{NewId()}", UriKind.Relative));
        var dialled = await RefusedAsync(computeId, Token);
        var listed = await gateway.Client.GetStringAsync(new Uri("/v2/computes", UriKind.Relative));

        Assert.Equal((HttpStatusCode.OK, $$"""{"ok":true,"compute_id":"{{computeId}}"}"""), (deleted.StatusCode, await deleted.Content.ReadAsStringAsync()));
        Assert.Null(ended);
        Assert.Equal((HttpStatusCode.OK, HttpStatusCode.NotFound, HttpStatusCode.NotFound), (again.StatusCode, read.StatusCode, beaten.StatusCode));
        Assert.Equal((HttpStatusCode.NotFound, HttpStatusCode.NotFound), (unknown.StatusCode, dialled));
        Assert.DoesNotContain(computeId, listed, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Registrations_survive_a_restart_and_the_machine_only_dials_in_again()
    {
        var (computeId, relay) = await gateway.ConnectAsync();
        await using var _ = relay;

        await gateway.RestartAsync();

        var registered = await gateway.GetAsync(computeId);
        await using var again = await ScriptedRelay.ConnectAsync(gateway.Address, computeId, Token);
        var connected = await gateway.GetAsync(computeId);
        Assert.Null(await relay.EndedAsync());
        Assert.Equal(("workshop", "local", "offline"), (registered.GetProperty("label").GetString(), registered.GetProperty("kind").GetString(), registered.GetProperty("status").GetString()));
        Assert.Equal("ready", connected.GetProperty("status").GetString());
    }

    [Fact]
    public async Task A_session_that_names_a_machine_gets_a_report_that_says_why_not()
    {
        var (computeId, relay) = await gateway.ConnectAsync();
        await using var _ = relay;
        using var refused = await gateway.Client.PostAsJsonAsync("/v2/sessions", new { compute = new { compute_id = computeId }, requirements = new { runtime = "python" } });
        var body = await refused.Content.ReadFromJsonAsync<JsonElement>();

        Assert.Equal((HttpStatusCode.Conflict, "no_compute"), (refused.StatusCode, body.GetProperty("code").GetString()));
        var candidate = body.GetProperty("report").GetProperty("candidates")[0];
        Assert.Equal(
            (computeId, "cerver_local_provider", true),
            (candidate.GetProperty("compute_id").GetString(), candidate.GetProperty("provider").GetString(), candidate.GetProperty("ready").GetBoolean()));
        Assert.Contains("does not have the runtime 'python'", candidate.GetProperty("reasons")[0].GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_machine_whose_relay_allows_no_network_says_so_and_a_session_that_needs_it_gets_a_report()
    {
        var computeId = NewId();
        using var registered = await gateway.Client.PostAsJsonAsync("/v2/computes/register", new { compute_id = computeId, capabilities = new { cerver_runs = 1, network = false } });
        await using var relay = await ScriptedRelay.ConnectAsync(gateway.Address, computeId, Token);
        var walled = await gateway.GetAsync(computeId);
        using var refused = await gateway.Client.PostAsJsonAsync("/v2/sessions", new { compute = new { compute_id = computeId }, requirements = new { network = true } });
        using var beaten = await gateway.Client.PostAsJsonAsync($"/v2/computes/{computeId}/heartbeat", new { status = "online", capabilities = new { cerver_runs = 1, network = true } });
        var opened = await gateway.GetAsync(computeId);

        Assert.Equal((false, true), (NetworkOf(walled), NetworkOf(opened)));
        var body = await refused.Content.ReadFromJsonAsync<JsonElement>();
        Assert.Equal((HttpStatusCode.Conflict, "no_compute"), (refused.StatusCode, body.GetProperty("code").GetString()));
        Assert.Equal("Its sandboxes have no network.", body.GetProperty("report").GetProperty("candidates")[0].GetProperty("reasons")[0].GetString());

        static bool NetworkOf(JsonElement machine) => machine.GetProperty("capabilities").GetProperty("network").GetBoolean();
    }

    [Theory]
    [InlineData("""{}""", "compute_id", 400)]
    [InlineData("""{"compute_id":"machine-1"}""", "compute_id", 400)]
    [InlineData("""{"compute_id":"comp_"}""", "compute_id", 400)]
    [InlineData("""{"compute_id":"comp_a/b"}""", "compute_id", 400)]
    [InlineData("""{"compute_id":"comp_12345678901234567890123456789012345678901234567890123456789a"}""", "compute_id", 400)]
    [InlineData("""{"compute_id":"comp_1","provider":"e2b"}""", "provider", 400)]
    [InlineData("""{"compute_id":"comp_1","connection":{"transport":"http"}}""", "connection.transport", 400)]
    [InlineData("""{"compute_id":"comp_1","connection":"cerver_connect"}""", "connection", 400)]
    [InlineData("""{"compute_id":"comp_1","capabilities":["shell"]}""", "capabilities", 400)]
    [InlineData("""{"compute_id":"comp_1","metadata":"x"}""", "metadata", 400)]
    [InlineData("""{"compute_id":"comp_1","label":"LONG"}""", "label", 400)]
    [InlineData("""{"compute_id":"comp_1","kind":"LONG"}""", "kind", 400)]
    [InlineData("""{"compute_id":"comp_1","metadata":{"x":"LARGE"}}""", "metadata", 413)]
    [InlineData("""{"compute_id":"comp_1","capabilities":{"x":"LARGE"}}""", "capabilities", 413)]
    public async Task What_cannot_be_a_machine_is_refused_by_the_field_at_fault(string body, string field, int status)
    {
        body = body.Replace("LONG", new string('x', 201), StringComparison.Ordinal).Replace("LARGE", new string('x', 65_536), StringComparison.Ordinal);
        using var content = new StringContent(body, Encoding.UTF8, "application/json");

        using var refused = await gateway.Client.PostAsync(new Uri("/v2/computes/register", UriKind.Relative), content);

        var refusal = await refused.Content.ReadFromJsonAsync<JsonElement>();
        Assert.Equal((status, field), ((int)refused.StatusCode, refusal.GetProperty("field").GetString()));
    }

    [Theory]
    [InlineData("nobodys-token-0123456789", false, 401)]
    [InlineData("nobodys-token-0123456789", true, 401)]
    [InlineData(Token, false, 404)]
    [InlineData(Token, true, 404)]
    public async Task A_handshake_is_refused_before_it_is_a_socket(string token, bool isInHeader, int status) =>
        Assert.Equal(status, (int)await RefusedAsync(NewId(), token, isInHeader));

    [Fact]
    public async Task A_token_may_come_in_the_header_and_in_the_query_of_no_other_address()
    {
        var computeId = await gateway.RegisterAsync();
        using var stranger = new HttpClient { BaseAddress = gateway.Address };

        await using var relay = await ScriptedRelay.DialAsync(gateway.Address, computeId, Token, isInHeader: true);
        using var plain = await gateway.Client.GetAsync(new Uri($"/v2/connect/ws?compute_id={computeId}", UriKind.Relative));
        using var elsewhere = await stranger.GetAsync(new Uri($"/v2/computes?token={Token}", UriKind.Relative));
        var without = await Assert.ThrowsAsync<WebSocketException>(() => DialBareAsync());

        Assert.Equal("connected", (await relay.NextAsync()).GetProperty("type").GetString());
        Assert.Equal((HttpStatusCode.BadRequest, HttpStatusCode.Unauthorized), (plain.StatusCode, elsewhere.StatusCode));
        Assert.Contains("401", without.Message, StringComparison.Ordinal);
    }

    private async Task DialBareAsync()
    {
        using var socket = new ClientWebSocket();
        await socket.ConnectAsync(new Uri($"ws://{gateway.Address.Authority}/v2/connect/ws"), CancellationToken.None);
    }

    private async Task<HttpStatusCode> RefusedAsync(string computeId, string token, bool isInHeader = false)
    {
        var refusal = await Assert.ThrowsAsync<WebSocketException>(() => ScriptedRelay.DialAsync(gateway.Address, computeId, token, isInHeader));
        return (HttpStatusCode)int.Parse(refusal.Message.Split('\'')[1], System.Globalization.CultureInfo.InvariantCulture);
    }

    private async Task<List<string>> FilesWithAsync(string text)
    {
        var found = new List<string>();
        foreach (var file in Directory.EnumerateFiles(gateway.DataDirectory, "*", SearchOption.AllDirectories).Where(static file => !file.EndsWith("lock", StringComparison.Ordinal)))
        {
            if ((await File.ReadAllTextAsync(file, Encoding.Latin1)).Contains(text, StringComparison.Ordinal))
            {
                found.Add(file);
            }
        }

        return found;
    }

    /// <summary>The capabilities of a machine without those that are about sandboxes, which it did not speak of.</summary>
    private static string Said(JsonElement compute)
    {
        var capabilities = JsonNode.Parse(compute.GetProperty("capabilities").GetRawText())!.AsObject();
        foreach (var name in (string[])["stdin", "reattach", "replay", "pause", "snapshot", "files", "ports", "limits"])
        {
            Assert.True(capabilities.Remove(name));
        }

        return capabilities.ToJsonString();
    }
}
