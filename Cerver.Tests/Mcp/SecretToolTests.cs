using Cerver.Tests.Http;

namespace Cerver.Tests.Mcp;

[Collection(nameof(GatewayFixture))]
public sealed class SecretToolTests(GatewayFixture gateway) : IAsyncLifetime
{
    private readonly string _name = $"MCP_{Guid.NewGuid():n}";
    private readonly string _value = $"value-{Guid.NewGuid():n}";
    private Agent _agent = null!;

    public async Task InitializeAsync()
    {
        Environment.SetEnvironmentVariable($"CERVER_SECRET_{_name}", _value);
        _agent = await Agent.ConnectAsync(gateway.Address, GatewayFixture.Token);
    }

    public async Task DisposeAsync()
    {
        await _agent.DisposeAsync();
        Environment.SetEnvironmentVariable($"CERVER_SECRET_{_name}", null);
    }

    [Fact]
    public async Task A_secret_is_fetched_and_the_session_notes_it_without_the_value()
    {
        var session = (await _agent.CallAsync("cerver_session_create", new { session_type = "transcript" })).GetProperty("session_id").GetString();

        var fetched = await _agent.CallAsync("secret_fetch", new { name = _name, session_id = session });

        Assert.Equal((_name, _value, "env"), (fetched.GetProperty("name").GetString(), fetched.GetProperty("value").GetString(), fetched.GetProperty("source").GetString()));
        var noted = Agent.TextOf(await _agent.AskAsync("cerver_session_export", new { session_id = session }));
        Assert.Contains(_name, noted, StringComparison.Ordinal);
        Assert.DoesNotContain(_value, noted, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_an_agent_asked_for_is_on_record_with_its_key_and_its_session()
    {
        var session = (await _agent.CallAsync("cerver_session_create", new { session_type = "transcript" })).GetProperty("session_id").GetString();

        await _agent.CallAsync("secret_fetch", new { name = _name, session_id = session });
        await _agent.FailAsync("secret_fetch", new { name = $"{_name}_", session_id = session });

        var audit = await gateway.GetAsync($"/v2/secrets/audit?session_id={session}");
        Assert.Equal(
            [("tes…", session, $"{_name}_", null, "not_found"), ("tes…", session, _name, "env", "fetched")],
            audit.GetProperty("accesses").EnumerateArray().Select(static access =>
                (Text(access, "key"), Text(access, "session_id"), Text(access, "name"), Text(access, "source"), Text(access, "outcome"))));
        Assert.DoesNotContain(_value, audit.GetRawText(), StringComparison.Ordinal);

        static string? Text(System.Text.Json.JsonElement access, string member) => access.GetProperty(member).GetString();
    }

    [Fact]
    public async Task A_secret_that_is_not_there_says_what_to_do()
    {
        var said = await _agent.FailAsync("secret_fetch", new { name = "NOT_THERE" });

        Assert.Contains("code: secret_not_found", said, StringComparison.Ordinal);
        Assert.Contains("CERVER_SECRET_NOT_THERE", said, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_one_agent_appended_another_finds_at_once()
    {
        await using var sibling = await Agent.ConnectAsync(gateway.Address, GatewayFixture.Token);
        var word = $"w{Guid.NewGuid():n}";
        var session = (await _agent.CallAsync("cerver_session_create", new { session_type = "transcript", session_name = "for a sibling" })).GetProperty("session_id").GetString();
        await _agent.CallAsync("cerver_session_append", new { session_id = session, entries = new[] { new { role = "assistant", content = $"the word is {word} today" } } });

        var hit = Assert.Single((await sibling.CallAsync("cerver_session_search", new { q = word })).GetProperty("hits").EnumerateArray());

        Assert.Equal((session, 0, $"the word is **{word}** today"), (hit.GetProperty("session_id").GetString(), hit.GetProperty("index").GetInt32(), hit.GetProperty("snippet").GetString()));
    }
}
