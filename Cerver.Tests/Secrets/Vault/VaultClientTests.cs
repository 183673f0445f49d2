using Cerver.Errors;
using Cerver.Grains.Secrets.Backends;
using Cerver.Grains.Secrets.Vault;
using Cerver.Tests.Secrets.Backends;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;

namespace Cerver.Tests.Secrets.Vault;

/// <summary>How a Vault is asked, and what is said when it does not answer.</summary>
public sealed class VaultClientTests : IAsyncLifetime
{
    private const string Value = "value-that-nobody-sees";

    private readonly LogLines<VaultClient> _log = new();
    private FakeVault _fake = null!;
    private BackendHttp _http = null!;

    public async Task InitializeAsync()
    {
        _fake = await FakeVault.StartAsync();
        _fake.Documents["NAME"] = $$"""{"value": "{{Value}}"}""";
    }

    public async Task DisposeAsync()
    {
        await _fake.DisposeAsync();
        _http?.Dispose();
    }

    [Fact]
    public async Task A_secret_is_read_with_the_token_of_the_settings()
    {
        var secret = await Client(WithToken()).FetchAsync("default", "NAME", CancellationToken.None);

        Assert.Equal(Value, secret?.Reveal());
        Assert.Equal(["GET /v1/secret/data/NAME"], _fake.Backend.Requests);
    }

    [Fact]
    public async Task A_secret_is_read_with_the_token_that_the_role_gets()
    {
        var client = Client(WithRole());

        var secret = await client.FetchAsync("default", "NAME", CancellationToken.None);
        await client.ListAsync("default", CancellationToken.None);

        Assert.Equal(Value, secret?.Reveal());
        Assert.Equal(["POST /v1/auth/approle/login", "GET /v1/secret/data/NAME", "GET /v1/secret/metadata?list=true"], _fake.Backend.Requests);
    }

    [Fact]
    public async Task What_is_not_there_or_not_any_more_is_no_error()
    {
        _fake.Deleted["DELETED"] = false;
        _fake.Deleted["DESTROYED"] = true;
        var client = Client(WithToken());

        foreach (var name in (string[])["OTHER", "DELETED", "DESTROYED"])
        {
            Assert.Null(await client.FetchAsync("default", name, CancellationToken.None));
        }

        Assert.Empty(_log.All);
    }

    [Fact]
    public async Task Each_account_has_the_folder_that_the_path_makes_for_it()
    {
        var options = WithToken();
        options.Path = "agents/{account}/a b";
        _fake.Documents["agents/alice/a b/NAME"] = """{"value": "of alice"}""";
        _fake.Documents["agents/alice/a b/deeper/NAME"] = """{"value": "deeper"}""";
        _fake.Documents["agents/bob/a b/OTHER"] = """{"value": "of bob"}""";
        var client = Client(options);

        Assert.Equal("of alice", (await client.FetchAsync("alice", "NAME", CancellationToken.None))?.Reveal());
        Assert.Null(await client.FetchAsync("bob", "NAME", CancellationToken.None));
        Assert.Equal(["NAME"], (await client.ListAsync("alice", CancellationToken.None)).AsEnumerable());
        Assert.Equal(["OTHER"], (await client.ListAsync("bob", CancellationToken.None)).AsEnumerable());
        Assert.Empty(await client.ListAsync("carol", CancellationToken.None));
    }

    [Theory]
    [InlineData("value", """{"value": "it", "other": "not it"}""")]
    [InlineData("value", """{"password": "it"}""")]
    [InlineData("value", """{"password": "it", "port": 5432, "tags": ["a"]}""")]
    [InlineData("password", """{"password": "it", "value": "not it"}""")]
    public async Task The_value_is_the_field_of_the_settings_or_the_only_text(string field, string document)
    {
        var options = WithToken();
        options.Field = field;
        _fake.Documents["NAME"] = document;

        Assert.Equal("it", (await Client(options).FetchAsync("default", "NAME", CancellationToken.None))?.Reveal());
    }

    [Theory]
    [InlineData("""{"user": "nobody-sees", "password": "nobody-sees"}""")]
    [InlineData("""{"value": 7, "other": "nobody-sees"}""")]
    [InlineData("""{"value": null}""")]
    [InlineData("""{}""")]
    public async Task A_document_in_which_no_field_is_the_value_is_an_error_that_says_what_to_write(string document)
    {
        _fake.Documents["NAME"] = document;

        await RefusedAsync(WithToken(), client => client.FetchAsync("default", "NAME", CancellationToken.None), "a text in the field 'value'", "NoValue");
    }

    [Fact]
    public async Task A_namespace_is_sent_with_everything()
    {
        _fake.Namespace = "team/agents";
        var options = WithRole();
        options.Namespace = "team/agents";

        Assert.Equal(Value, (await Client(options).FetchAsync("default", "NAME", CancellationToken.None))?.Reveal());
        await RefusedAsync(WithToken(), client => client.FetchAsync("default", "NAME", CancellationToken.None), "Namespace", "Misplaced");
    }

    [Fact]
    public async Task A_mount_that_is_not_there_is_an_error_and_no_missing_secret()
    {
        var options = WithToken();
        options.Mount = "kv/other";

        await RefusedAsync(options, client => client.FetchAsync("default", "NAME", CancellationToken.None), "Cerver:Secrets:Vault:Mount", "Misplaced");
        await RefusedAsync(options, client => client.ListAsync("default", CancellationToken.None), "Cerver:Secrets:Vault:Mount", "Misplaced");
    }

    [Fact]
    public async Task Callers_at_once_share_one_log_in()
    {
        var gate = new TaskCompletionSource();
        _fake.LogInGate = gate.Task;
        var client = Client(WithRole());

        var calls = Enumerable.Range(0, 20).Select(_ => client.FetchAsync("default", "NAME", CancellationToken.None)).ToList();
        gate.SetResult();
        var secrets = await Task.WhenAll(calls);

        Assert.All(secrets, static secret => Assert.Equal(Value, secret?.Reveal()));
        Assert.Equal(1, _fake.LogIns);
    }

    [Fact]
    public async Task A_token_is_used_until_shortly_before_its_end()
    {
        var time = new FakeTimeProvider();
        var client = Client(WithRole(), time);
        _fake.LeaseDuration = 100;

        await client.FetchAsync("default", "NAME", CancellationToken.None);
        time.Advance(TimeSpan.FromSeconds(79));
        await client.FetchAsync("default", "NAME", CancellationToken.None);
        var during = _fake.LogIns;
        time.Advance(TimeSpan.FromSeconds(2));
        await client.FetchAsync("default", "NAME", CancellationToken.None);

        Assert.Equal((1, 2), (during, _fake.LogIns));
    }

    [Fact]
    public async Task A_token_that_is_refused_is_replaced_once()
    {
        var time = new FakeTimeProvider();
        var client = Client(WithRole(), time);
        await client.FetchAsync("default", "NAME", CancellationToken.None);
        _fake.RevokeTokens();
        time.Advance(BackendTokens<string>.FreshFor);

        Assert.Equal((Value, 2), ((await client.FetchAsync("default", "NAME", CancellationToken.None))?.Reveal(), _fake.LogIns));
    }

    [Fact]
    public async Task Asking_for_what_may_not_be_read_makes_no_log_in_each_time()
    {
        var time = new FakeTimeProvider();
        var client = Client(WithRole(), time);
        _fake.Forbidden = "secret/data/NA";

        for (var i = 0; i < 5; i++)
        {
            await RefusedAsync(WithRole(), _ => client.FetchAsync("default", "NAME", CancellationToken.None), "'read' on data", "AccessRefused");
        }

        Assert.Equal(1, _fake.LogIns);
    }

    [Fact]
    public async Task A_bad_role_is_the_answer_for_a_while_without_asking_again()
    {
        var time = new FakeTimeProvider();
        var options = WithRole();
        options.SecretId = "wrong-that-nobody-sees";
        var client = Client(options, time);

        await RefusedAsync(options, _ => client.FetchAsync("default", "NAME", CancellationToken.None), "does not accept the role", "LoginRefused");
        time.Advance(TimeSpan.FromSeconds(29));
        await RefusedAsync(options, _ => client.ListAsync("default", CancellationToken.None), "does not accept the role", "LoginRefused");
        var during = _fake.LogIns;
        time.Advance(TimeSpan.FromSeconds(1));
        await RefusedAsync(options, _ => client.ListAsync("default", CancellationToken.None), "does not accept the role", "LoginRefused");

        Assert.Equal((1, 2), (during, _fake.LogIns));
    }

    [Fact]
    public async Task A_wrong_token_is_refused()
    {
        var options = WithToken();
        options.Token = "hvs.wrong-that-nobody-sees";

        await RefusedAsync(options, client => client.FetchAsync("default", "NAME", CancellationToken.None), "a token that holds", "AccessRefused");
    }

    [Theory]
    [InlineData(503, """{"errors":["Vault is sealed nobody-sees"]}""", "Failed", 3)]
    [InlineData(429, """{"errors":[]}""", "Busy", 3)]
    [InlineData(307, "", "Redirected", 1)]
    [InlineData(200, "<html>nobody-sees</html>", "Misplaced", 1)]
    [InlineData(200, """{"data":{"keys":["nobody-sees"]}}""", "Misplaced", 1)]
    [InlineData(404, "<html>nobody-sees</html>", "NotUnderstood", 1)]
    public async Task An_answer_that_is_none_is_an_error(int status, string body, string fault, int tries)
    {
        _fake.Backend.AnswerAll(status, body, to: status == 307 ? "http://127.0.0.1:1" : null);

        await RefusedAsync(WithToken(), client => client.FetchAsync("default", "NAME", CancellationToken.None), "", fault);

        Assert.Equal(tries, _fake.Backend.Requests.Count);
    }

    [Fact]
    public async Task An_answer_has_a_largest_size()
    {
        _fake.Documents["NAME"] = $$"""{"value": "{{new string('x', BackendHttp.MaxSecretBytes)}}"}""";

        await RefusedAsync(WithToken(), client => client.FetchAsync("default", "NAME", CancellationToken.None), "more than 1 MiB", "TooLarge");
    }

    [Fact]
    public async Task A_server_that_is_down_is_an_error()
    {
        await _fake.Backend.StopAsync();

        await RefusedAsync(WithToken(), client => client.FetchAsync("default", "NAME", CancellationToken.None), "cannot be reached", "Unreachable");
    }

    private VaultOptions WithToken() => new() { Address = _fake.Address, Token = FakeVault.Token };

    private VaultOptions WithRole() => new() { Address = _fake.Address, RoleId = FakeVault.RoleId, SecretId = FakeVault.SecretId };

    private VaultClient Client(VaultOptions options, TimeProvider? time = null)
    {
        _http ??= new BackendHttp(time ?? TimeProvider.System);
        return new(_http, Options.Create(options), time ?? TimeProvider.System, _log);
    }

    /// <summary>Asserts that a question ends with an error that names the source, the host and what to do, and that neither it nor the log shows what nobody may see.</summary>
    private async Task RefusedAsync(VaultOptions options, Func<VaultClient, Task> ask, string says, string logs)
    {
        var logged = _log.All.Count;

        var refusal = await Assert.ThrowsAsync<CerverException>(() => ask(Client(options)));

        Assert.Equal(CerverError.SecretBackendUnavailable, refusal.Code);
        Assert.StartsWith($"The source 'vault' has no answer. {new Uri(_fake.Address).Authority} ", refusal.Message, StringComparison.Ordinal);
        Assert.Contains(says, refusal.Message, StringComparison.Ordinal);
        Assert.Null(refusal.InnerException);
        Assert.Contains($" {logs},", Assert.Single(_log.All.Skip(logged)), StringComparison.Ordinal);
        Assert.All(_log.All.Append(refusal.ToString()), static text => Assert.DoesNotContain("nobody-sees", text, StringComparison.Ordinal));
    }
}
