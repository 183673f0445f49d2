using System.Collections.Immutable;
using System.Text.Json;
using Cerver.Computes;
using Cerver.Tests.Computes.Conformance;

namespace Cerver.Tests.Relays;

/// <summary>What our relay answers to requests about files that no gateway of ours makes.</summary>
public sealed class RelayFileRouteTests : IAsyncLifetime
{
    private const string Sandbox = "/api/cerver/provider/sandboxes/sbx_0123456789abcdef0123456789abcdef";

    private readonly string _data = Directory.CreateTempSubdirectory("cerver-relay-").FullName;
    private RelayLine _line = null!;
    private RelayProcess _relay = null!;

    public async Task InitializeAsync()
    {
        _line = await RelayLine.StartAsync();
        _relay = RelayProcess.Launch(_line.Address, "token-of-one-who-tests", _data);
        await _line.Connected.WaitAsync(TimeSpan.FromMinutes(1));
        Assert.Equal(201, (await AskAsync("POST", "/api/cerver/provider/sandboxes", """{"sandbox_id":"sbx_0123456789abcdef0123456789abcdef"}""")).Status);
    }

    public async Task DisposeAsync()
    {
        await _relay.DisposeAsync();
        await _line.DisposeAsync();
        Directory.Delete(_data, recursive: true);
    }

    [Fact]
    public async Task They_are_refused_with_a_word_and_a_sentence_and_nothing_comes_of_them()
    {
        (string Method, string Path, string? Body, int Status, string Error)[] refusals =
        [
            ("GET", $"{Sandbox}/files", null, 404, "not_found"),
            ("GET", $"{Sandbox}/files/list", "{}", 404, "not_found"),
            ("POST", "/api/cerver/provider/sandboxes/../files/list", "{}", 404, "not_found"),
            ("POST", "/api/cerver/provider/sandboxes/runs/files/list", "{}", 404, "not_found"),
            ("POST", "/api/cerver/provider/sandboxes/sbx_00000000000000000000000000000000/files/list", "{}", 409, "conflict"),
            ("POST", $"{Sandbox}/files/list", null, 400, "invalid_request"),
            ("POST", $"{Sandbox}/files/list", "[]", 400, "invalid_request"),
            ("POST", $"{Sandbox}/files/list", """{"path":"*"}""", 400, "invalid_request"),
            ("POST", $"{Sandbox}/files/list", """{"path":"Li4="}""", 400, "invalid_request"),
            ("POST", $"{Sandbox}/files/read", """{"path":"Li4vLi4vY29tcHV0ZV9pZA==","count":100}""", 400, "invalid_request"),
            ("POST", $"{Sandbox}/files/read", """{"path":"L2V0Yy9wYXNzd2Q=","count":100}""", 400, "invalid_request"),
            ("POST", $"{Sandbox}/files/read", """{"path":"YQ==","offset":-1,"count":100}""", 400, "invalid_request"),
            ("POST", $"{Sandbox}/files/delete", "{}", 400, "invalid_request"),
            ("POST", $"{Sandbox}/files/delete", """{"path":"Li4=","recursive":true}""", 400, "invalid_request"),
            ("POST", $"{Sandbox}/files/uploads", "{}", 400, "invalid_request"),
            ("POST", $"{Sandbox}/files/uploads", """{"upload_id":"one","size":1099511627776}""", 413, "payload_too_large"),
            ("POST", $"{Sandbox}/files/uploads/one/write", """{"offset":0,"data":"YQ=="}""", 409, "conflict"),
            ("POST", $"{Sandbox}/files/uploads/one/write", """{"offset":-1,"data":"YQ=="}""", 400, "invalid_request"),
            ("POST", $"{Sandbox}/files/uploads/one/write", """{"offset":0}""", 400, "invalid_request"),
            ("POST", $"{Sandbox}/files/uploads/one/place", """{"path":"YQ==","size":0}""", 409, "conflict"),
            ("POST", $"{Sandbox}/files/uploads/one/forget", "{}", 404, "not_found"),
        ];

        foreach (var (method, path, body, status, error) in refusals)
        {
            var answer = await AskAsync(method, path, body);
            var refusal = JsonElement.Parse(answer.Body!);
            Assert.Equal((path, body, status, error), (path, body, answer.Status, refusal.GetProperty("error").GetString()));
            Assert.EndsWith(".", refusal.GetProperty("message").GetString()!, StringComparison.Ordinal);
        }

        Assert.Equal("""{"entries":[]}""", (await AskAsync("POST", $"{Sandbox}/files/list", """{"limit":10}""")).Body);
        Assert.DoesNotContain("failed", _relay.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_was_done_is_done_once_however_often_it_is_asked_for()
    {
        foreach (var _ in Enumerable.Range(0, 2))
        {
            Assert.Equal(201, (await AskAsync("POST", $"{Sandbox}/files/uploads", """{"upload_id":"one","size":2}""")).Status);
            Assert.Equal(204, (await AskAsync("POST", $"{Sandbox}/files/uploads/one/write", """{"offset":0,"data":"YWI="}""")).Status);
        }

        // At once, as when the gateway has given up on the first and asks again.
        var placed = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => AskAsync("POST", $"{Sandbox}/files/uploads/one/place", """{"path":"ZC9h","size":2}""")));
        var read = await AskAsync("POST", $"{Sandbox}/files/read", """{"path":"ZC9h","count":10}""");

        Assert.All(placed, static answer => Assert.Equal((200, """{"is_new":true}"""), (answer.Status, answer.Body)));
        Assert.Equal("YWI=", JsonElement.Parse(read.Body!).GetProperty("data").GetString());
        foreach (var _ in Enumerable.Range(0, 2))
        {
            Assert.Equal(204, (await AskAsync("DELETE", $"{Sandbox}/files/uploads/one", body: null)).Status);
            Assert.Equal(204, (await AskAsync("POST", $"{Sandbox}/files/delete", """{"path":"ZA==","recursive":true}""")).Status);
        }
    }

    private Task<MachineAnswer> AskAsync(string method, string path, string? body) =>
        _line.RequestAsync(new MachineRequest(method, path, ImmutableDictionary<string, string>.Empty, body, TimeSpan.FromSeconds(30)));
}
