using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Cerver.Tests.Silo;
using Microsoft.Data.Sqlite;
using static Cerver.Tests.Http.GatewayFixture;

namespace Cerver.Tests.Http;

[Collection(nameof(GatewayFixture))]
public sealed class SecretHttpTests(GatewayFixture gateway)
{
    private readonly string _name = $"TEST_{Guid.NewGuid():n}";
    private readonly string _value = $"value-{Guid.NewGuid():n}";

    [Fact]
    public async Task A_secret_of_the_environment_is_fetched_by_the_account_default_and_by_no_other()
    {
        Environment.SetEnvironmentVariable($"CERVER_SECRET_{_name}", _value);
        var session = await gateway.CreateTranscriptAsync();

        var fetched = await gateway.GetAsync($"/v2/secrets/{_name}?session_id={session}");
        var listed = await gateway.GetAsync("/v2/secrets");
        using var other = await gateway.Other.GetAsync(Path($"/v2/secrets/{_name}"));
        var others = await gateway.Other.GetStringAsync(Path("/v2/secrets"));

        var audit = await gateway.GetAsync($"/v2/secrets/audit?name={_name}");
        var denied = JsonDocument.Parse(await gateway.Other.GetStringAsync(Path($"/v2/secrets/audit?name={_name}"))).RootElement;

        Assert.Equal($$"""{"name":"{{_name}}","value":"{{_value}}","source":"env"}""", fetched.GetRawText());
        var access = Assert.Single(audit.GetProperty("accesses").EnumerateArray());
        Assert.Equal(("tes…", session, "fetched"), (access.GetProperty("key").GetString(), access.GetProperty("session_id").GetString(), access.GetProperty("outcome").GetString()));
        Assert.Equal("denied", Assert.Single(denied.GetProperty("accesses").EnumerateArray()).GetProperty("outcome").GetString());
        Assert.Contains(listed.GetProperty("secrets").EnumerateArray(), secret => secret.GetProperty("name").ValueEquals(_name));
        Assert.DoesNotContain(_value, listed.GetRawText(), StringComparison.Ordinal);
        Assert.Equal((HttpStatusCode.NotFound, "secret_not_found", """{"secrets":[]}"""), (other.StatusCode, await CodeOf(other), others));
        var note = (await gateway.GetAsync($"/v2/sessions/{session}")).GetProperty("transcript")[0];
        Assert.Equal(("system", "secret_access"), (note.GetProperty("role").GetString(), note.GetProperty("kind").GetString()));
        Assert.Equal($$"""{"name":"{{_name}}","outcome":"fetched","source":"env","type":"secret_access"}""", note.GetProperty("content").GetString());
    }

    [Fact]
    public async Task A_value_that_nobody_could_record_is_in_no_answer()
    {
        Environment.SetEnvironmentVariable($"CERVER_SECRET_{_name}", _value);
        var session = await gateway.CreateAsync();
        await ExecuteAsync($"create trigger refusal before insert on secret_access when new.name = '{_name}' begin select raise(abort, 'no more records'); end");

        using var fetched = await gateway.Client.GetAsync(Path($"/v2/secrets/{_name}?session_id={session}"));
        using var run = await gateway.Client.PostAsJsonAsync(Path($"/v2/sessions/{session}/run"), new { code = $"printenv {_name}", secrets = new[] { _name } });
        await ExecuteAsync("drop trigger refusal");

        foreach (var answer in (HttpResponseMessage[])[fetched, run])
        {
            Assert.False(answer.IsSuccessStatusCode);
            Assert.DoesNotContain(_value, await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        }

        Assert.Empty((await gateway.GetAsync($"/v2/sessions/{session}")).GetProperty("transcript").EnumerateArray());
        Assert.Empty((await gateway.GetAsync($"/v2/secrets/audit?name={_name}")).GetProperty("accesses").EnumerateArray());
    }

    [Fact]
    public async Task Of_the_key_that_asks_only_the_beginning_is_on_record()
    {
        Environment.SetEnvironmentVariable($"CERVER_SECRET_{_name}", _value);
        var session = await gateway.CreateAsync();

        await gateway.GetAsync($"/v2/secrets/{_name}");
        using var run = await gateway.Client.PostAsJsonAsync(Path($"/v2/sessions/{session}/run"), new { code = "true", secrets = new[] { _name } });
        using var missing = await gateway.Client.GetAsync(Path($"/v2/secrets/{_name}_"));

        var kept = await ExecuteAsync($"select group_concat(outcome || ' ' || key) from (select * from secret_access where name like '{_name}%' order by at, id)");
        Assert.Equal("1 tes…,4 tes…,3 tes…", kept);
        foreach (var file in Directory.EnumerateFiles(gateway.DataDirectory, "cerver.db*"))
        {
            Assert.DoesNotContain(Token, await File.ReadAllTextAsync(file, System.Text.Encoding.Latin1), StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("/v2/secrets/NOT_THERE", HttpStatusCode.NotFound, "secret_not_found")]
    [InlineData("/v2/secrets/not%20a%20name", HttpStatusCode.BadRequest, "invalid_request")]
    [InlineData("/v2/secrets/a%2Fb", HttpStatusCode.BadRequest, "invalid_request")]
    [InlineData("/v2/secrets/PATH?session_id=nothing", HttpStatusCode.NotFound, "not_found")]
    [InlineData("/v2/secrets/PATH", HttpStatusCode.NotFound, "secret_not_found")]
    public async Task What_is_no_secret_is_refused(string path, HttpStatusCode status, string code)
    {
        using var response = await gateway.Client.GetAsync(Path(path));

        Assert.Equal((status, code), (response.StatusCode, await CodeOf(response)));
    }

    [Fact]
    public async Task A_gateway_that_is_started_with_a_secret_has_it_and_shows_it_to_nobody_else()
    {
        Environment.SetEnvironmentVariable($"CERVER_SECRET_{_name}", _value);
        var data = Directory.CreateTempSubdirectory("cerver-secret-").FullName;
        await using var process = await GatewayProcess.StartAsync(data);
        var session = await process.CreateAsync();

        var answer = await process.Client.GetStringAsync(Path($"/v2/secrets/{_name}?session_id={session}"));
        using var missing = await process.Client.GetAsync(Path("/v2/secrets/NOT_THERE"));
        var transcript = await process.Client.GetStringAsync(Path($"/v2/sessions/{session}/export"));
        await process.StopAsync();
        await using (var again = await GatewayProcess.StartAsync(data))
        {
            using var appended = await again.Client.PostAsJsonAsync($"/v2/sessions/{session}/transcript", new { entries = new[] { new { role = "user", content = $"it was {_value}" } } });
            Assert.Equal(HttpStatusCode.Created, appended.StatusCode);
            Assert.Contains($"it was [secret:{_name}]", await again.Client.GetStringAsync(Path($"/v2/sessions/{session}/export")), StringComparison.Ordinal);
            await again.StopAsync();
        }

        Assert.Equal(_value, JsonDocument.Parse(answer).RootElement.GetProperty("value").GetString());
        Assert.Contains("CERVER_SECRET_NOT_THERE", await missing.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        Assert.Contains(_name, process.Output, StringComparison.Ordinal);
        Assert.DoesNotContain(_value, process.Output, StringComparison.Ordinal);
        Assert.DoesNotContain(_value, transcript, StringComparison.Ordinal);
        foreach (var file in Directory.EnumerateFiles(data, "*", SearchOption.AllDirectories))
        {
            Assert.DoesNotContain(_value, await File.ReadAllTextAsync(file, System.Text.Encoding.Latin1), StringComparison.Ordinal);
        }

        Directory.Delete(data, recursive: true);
    }

    /// <summary>Asks the database behind the gateway's back.</summary>
    private async Task<object?> ExecuteAsync(string statement)
    {
        await using var database = new SqliteConnection($"Data Source={System.IO.Path.Combine(gateway.DataDirectory, "cerver.db")}");
        await database.OpenAsync();
        await using var command = database.CreateCommand();
#pragma warning disable CA2100 // The test's own text.
        command.CommandText = statement;
#pragma warning restore CA2100
        return await command.ExecuteScalarAsync();
    }

    private static Uri Path(string path) => new(path, UriKind.Relative);

    private static async Task<string?> CodeOf(HttpResponseMessage response) => (await JsonAsync(response)).GetProperty("code").GetString();
}
