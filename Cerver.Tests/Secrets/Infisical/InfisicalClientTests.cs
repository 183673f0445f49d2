using Cerver.Errors;
using Cerver.Grains.Secrets.Backends;
using Cerver.Grains.Secrets.Infisical;
using Cerver.Secrets;
using Cerver.Tests.Secrets.Backends;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Time.Testing;

namespace Cerver.Tests.Secrets.Infisical;

/// <summary>How instances of Infisical are asked, and what is said when they do not answer.</summary>
public sealed class InfisicalClientTests : IAsyncLifetime
{
    private const string Value = "value-that-nobody-sees";

    private readonly LogLines<InfisicalClient> _log = new();
    private FakeInfisical _fake = null!;
    private BackendHttp _http = null!;

    public async Task InitializeAsync()
    {
        _fake = await FakeInfisical.StartAsync();
        _fake.Secrets[("/", "NAME")] = Value;
    }

    public async Task DisposeAsync()
    {
        await _fake.DisposeAsync();
        _http?.Dispose();
    }

    [Fact]
    public async Task A_secret_is_read_with_the_token_of_a_log_in()
    {
        var client = Client();

        var secret = await client.FetchAsync(Vault(), "NAME", CancellationToken.None);

        Assert.Equal(Value, secret?.Reveal());
        Assert.Equal(
            [
                "POST /api/v1/auth/universal-auth/login",
                $"GET /api/v4/secrets/NAME?projectId={FakeInfisical.ProjectId}&environment=prod&secretPath=%2F&viewSecretValue=true&expandSecretReferences=true&include_imports=true",
            ],
            _fake.Backend.Requests);
    }

    [Fact]
    public async Task A_secret_that_is_not_there_is_no_error()
    {
        Assert.Null(await Client().FetchAsync(Vault(), "OTHER", CancellationToken.None));
        Assert.Empty(_log.All);
    }

    [Fact]
    public async Task A_secret_of_a_folder_and_one_that_the_folder_imports_are_found_there_alone()
    {
        var client = Client();
        _fake.Secrets[("/agents", "DEEPER")] = Value;
        _fake.Imports[("/agents", "IMPORTED")] = Value;

        Assert.Equal(Value, (await client.FetchAsync(Vault(path: "/agents"), "DEEPER", CancellationToken.None))?.Reveal());
        Assert.Equal(Value, (await client.FetchAsync(Vault(path: "/agents"), "IMPORTED", CancellationToken.None))?.Reveal());
        Assert.Null(await client.FetchAsync(Vault(), "DEEPER", CancellationToken.None));
    }

    [Fact]
    public async Task A_list_has_names_and_asks_for_no_value()
    {
        _fake.Secrets[("/", "not a name")] = Value;
        _fake.Secrets[("/agents", "DEEPER")] = Value;
        _fake.Imports[("/", "IMPORTED")] = Value;
        _fake.Imports[("/", "NAME")] = Value;

        var names = await Client().ListAsync(Vault(), CancellationToken.None);

        Assert.Equal(["IMPORTED", "NAME"], names.Order(StringComparer.Ordinal));
        Assert.Contains("viewSecretValue=false", _fake.Backend.Requests[^1], StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_service_token_needs_no_log_in()
    {
        var secret = await Client().FetchAsync(Vault(serviceToken: FakeInfisical.ServiceToken), "NAME", CancellationToken.None);

        Assert.Equal((Value, 0), (secret?.Reveal(), _fake.LogIns));
    }

    [Fact]
    public async Task A_site_without_version_4_is_asked_in_version_3_and_version_4_again_after_an_hour()
    {
        var time = new FakeTimeProvider();
        var client = Client(time);
        _fake.HasVersion4 = false;

        var first = await client.FetchAsync(Vault(), "NAME", CancellationToken.None);
        var names = await client.ListAsync(Vault(), CancellationToken.None);
        var missing = await client.FetchAsync(Vault(), "OTHER", CancellationToken.None);
        var tries = Asked("/api/v4/");
        time.Advance(InfisicalClient.OldRoutesFor);
        _fake.HasVersion4 = true;
        _fake.HasVersion3 = false;
        var later = await client.FetchAsync(Vault(), "NAME", CancellationToken.None);

        Assert.Equal((Value, null, Value), (first?.Reveal(), missing, later?.Reveal()));
        Assert.Equal(["NAME"], names.AsEnumerable());
        Assert.Equal(1, tries);
        Assert.Contains(_fake.Backend.Requests, static request => request.StartsWith("GET /api/v3/secrets/raw/NAME?workspaceId=", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_site_with_neither_version_is_told_to_be_something_else()
    {
        (_fake.HasVersion3, _fake.HasVersion4) = (false, false);

        await RefusedAsync(client => client.FetchAsync(Vault(), "NAME", CancellationToken.None), "does not answer as Infisical does", "NotUnderstood");
    }

    [Fact]
    public async Task Callers_at_once_share_one_log_in()
    {
        var gate = new TaskCompletionSource();
        _fake.LogInGate = gate.Task;
        var client = Client();

        var calls = Enumerable.Range(0, 20).Select(_ => client.FetchAsync(Vault(), "NAME", CancellationToken.None)).ToList();
        gate.SetResult();
        var secrets = await Task.WhenAll(calls);

        Assert.All(secrets, static secret => Assert.Equal(Value, secret?.Reveal()));
        Assert.Equal(1, _fake.LogIns);
    }

    [Fact]
    public async Task A_caller_who_goes_away_takes_nobodys_log_in_along()
    {
        var gate = new TaskCompletionSource();
        _fake.LogInGate = gate.Task;
        var client = Client();
        using var gone = new CancellationTokenSource();

        var first = client.FetchAsync(Vault(), "NAME", gone.Token);
        var second = client.FetchAsync(Vault(), "NAME", CancellationToken.None);
        await gone.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => first);
        gate.SetResult();

        Assert.Equal((Value, 1), ((await second)?.Reveal(), _fake.LogIns));
    }

    [Fact]
    public async Task A_token_is_used_until_shortly_before_its_end()
    {
        var time = new FakeTimeProvider();
        var client = Client(time);
        _fake.ExpiresIn = 600;

        await client.FetchAsync(Vault(), "NAME", CancellationToken.None);
        time.Advance(TimeSpan.FromSeconds(539));
        await client.FetchAsync(Vault(), "NAME", CancellationToken.None);
        var during = _fake.LogIns;
        time.Advance(TimeSpan.FromSeconds(2));
        await client.FetchAsync(Vault(), "NAME", CancellationToken.None);

        Assert.Equal((1, 2), (during, _fake.LogIns));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_token_that_is_refused_is_replaced_once(bool saysTokenError)
    {
        var time = new FakeTimeProvider();
        var client = Client(time);
        _fake.SaysTokenError = saysTokenError;
        await client.FetchAsync(Vault(), "NAME", CancellationToken.None);
        _fake.RevokeTokens();
        time.Advance(BackendTokens<string>.FreshFor);

        var secret = await client.FetchAsync(Vault(), "NAME", CancellationToken.None);

        Assert.Equal((Value, 2, 3), (secret?.Reveal(), _fake.LogIns, Asked("GET")));
    }

    [Fact]
    public async Task A_site_that_takes_no_token_that_it_gives_is_not_asked_in_a_circle()
    {
        var time = new FakeTimeProvider();
        var client = Client(time);
        await client.FetchAsync(Vault(), "NAME", CancellationToken.None);
        _fake.Backend.Disturb = async context =>
        {
            if (context.Request.Method == "GET")
            {
                context.Response.StatusCode = 401;
                await context.Response.WriteAsJsonAsync(new { reqId = "req", statusCode = 401, error = "UnauthorizedError", message = Value });
            }

            return context.Request.Method == "GET";
        };
        time.Advance(BackendTokens<string>.FreshFor);

        await RefusedAsync(_ => client.FetchAsync(Vault(), "NAME", CancellationToken.None), "read access", "AccessRefused");
        await RefusedAsync(_ => client.FetchAsync(Vault(), "NAME", CancellationToken.None), "read access", "AccessRefused");

        Assert.Equal((2, 4), (_fake.LogIns, Asked("GET")));
    }

    [Fact]
    public async Task A_bad_log_in_is_the_answer_for_a_while_without_asking_again()
    {
        var time = new FakeTimeProvider();
        var client = Client(time);
        var vault = Vault(secret: "wrong-secret-that-nobody-sees");

        await RefusedAsync(_ => client.FetchAsync(vault, "NAME", CancellationToken.None), "does not accept the credentials", "LoginRefused");
        time.Advance(TimeSpan.FromSeconds(29));
        await RefusedAsync(_ => client.ListAsync(vault, CancellationToken.None), "does not accept the credentials", "LoginRefused");
        var during = _fake.LogIns;
        time.Advance(TimeSpan.FromSeconds(1));
        await RefusedAsync(_ => client.VerifyAsync(vault, CancellationToken.None), "does not accept the credentials", "LoginRefused");

        Assert.Equal((1, 2), (during, _fake.LogIns));
    }

    [Fact]
    public async Task Whoever_knows_the_client_id_alone_gets_nothing_from_the_token_of_another()
    {
        var client = Client();
        await client.FetchAsync(Vault(), "NAME", CancellationToken.None);

        await RefusedAsync(_ => client.FetchAsync(Vault(secret: "guessed-secret-that-nobody-sees"), "NAME", CancellationToken.None), "does not accept the credentials", "LoginRefused");
    }

    [Fact]
    public async Task A_wrong_service_token_is_refused()
    {
        await RefusedAsync(client => client.FetchAsync(Vault(serviceToken: "st.wrong-that-nobody-sees"), "NAME", CancellationToken.None), "does not accept the credentials", "LoginRefused");
        await RefusedAsync(client => client.FetchAsync(Vault(serviceToken: "st.not\na-token-that-nobody-sees"), "NAME", CancellationToken.None), "does not accept the credentials", "LoginRefused");
    }

    [Fact]
    public async Task A_hidden_value_is_never_handed_out()
    {
        _fake.Hidden.Add("NAME");

        await RefusedAsync(client => client.FetchAsync(Vault(), "NAME", CancellationToken.None), "hides the value", "AccessRefused");
    }

    [Fact]
    public async Task An_identity_without_rights_is_told_what_it_lacks()
    {
        _fake.Denies = true;

        await RefusedAsync(client => client.FetchAsync(Vault(), "NAME", CancellationToken.None), "read access", "AccessRefused");
    }

    [Fact]
    public async Task A_project_or_folder_that_is_not_there_is_an_error_and_no_missing_secret()
    {
        await RefusedAsync(client => client.FetchAsync(Vault(project: "other"), "NAME", CancellationToken.None), "knows no such project", "Misplaced");
        await RefusedAsync(client => client.FetchAsync(Vault(path: "/nowhere"), "NAME", CancellationToken.None), "knows no such project", "Misplaced");
    }

    [Fact]
    public async Task A_redirect_is_not_followed()
    {
        await using var elsewhere = await FakeInfisical.StartAsync();
        _fake.Backend.AnswerAll(307, to: elsewhere.Site);

        await RefusedAsync(client => client.FetchAsync(Vault(), "NAME", CancellationToken.None), "sends the gateway elsewhere", "Redirected");
        await RefusedAsync(client => client.FetchAsync(Vault(serviceToken: FakeInfisical.ServiceToken), "NAME", CancellationToken.None), "sends the gateway elsewhere", "Redirected");

        Assert.Empty(elsewhere.Backend.Requests);
    }

    [Fact]
    public async Task An_answer_has_a_largest_size()
    {
        _fake.Secrets[("/", "LARGE")] = new string('x', BackendHttp.MaxSecretBytes);

        await RefusedAsync(client => client.FetchAsync(Vault(), "LARGE", CancellationToken.None), "more than 1 MiB", "TooLarge");
        _fake.Backend.AnswerAll(200, new string(' ', BackendHttp.MaxListBytes + 1));
        await RefusedAsync(client => client.ListAsync(Vault(serviceToken: FakeInfisical.ServiceToken), CancellationToken.None), "more than 8 MiB", "TooLarge");
    }

    [Theory]
    [InlineData(200, "<html>value-that-nobody-sees</html>")]
    [InlineData(200, "{\"secret\":{\"secretValue\":7}}")]
    [InlineData(200, "{\"secret\":null}")]
    [InlineData(200, "[]")]
    [InlineData(200, "")]
    [InlineData(200, "{\"secret\":{\"secretValue\":\"\\ud800\"}}")]
    [InlineData(204, "")]
    [InlineData(404, "<html>value-that-nobody-sees</html>")]
    [InlineData(418, "value-that-nobody-sees")]
    public async Task An_answer_that_is_not_Infisicals_is_an_error(int status, string body)
    {
        _fake.Backend.AnswerAll(status, body);

        await RefusedAsync(client => client.FetchAsync(Vault(serviceToken: FakeInfisical.ServiceToken), "NAME", CancellationToken.None), "", "NotUnderstood");
        await RefusedAsync(client => client.FetchAsync(Vault(), "NAME", CancellationToken.None), "", "NotUnderstood");
    }

    [Theory]
    [InlineData(500, "Failed")]
    [InlineData(503, "Failed")]
    [InlineData(429, "Busy")]
    public async Task A_read_that_fails_is_made_twice_more_and_a_log_in_is_not(int status, string fault)
    {
        _fake.Backend.AnswerAll(status, Value);

        await RefusedAsync(client => client.FetchAsync(Vault(serviceToken: FakeInfisical.ServiceToken), "NAME", CancellationToken.None), "", fault);
        await RefusedAsync(client => client.FetchAsync(Vault(), "NAME", CancellationToken.None), "", fault);

        Assert.Equal((3, 1), (Asked("GET"), _fake.LogIns));
    }

    [Fact]
    public async Task A_read_that_fails_once_is_answered()
    {
        var failures = 1;
        _fake.Backend.Disturb = context =>
        {
            context.Response.StatusCode = 502;
            return Task.FromResult(context.Request.Method == "GET" && failures-- > 0);
        };

        Assert.Equal(Value, (await Client().FetchAsync(Vault(), "NAME", CancellationToken.None))?.Reveal());
    }

    [Fact]
    public async Task A_site_that_is_down_is_an_error()
    {
        await _fake.Backend.StopAsync();

        await RefusedAsync(client => client.FetchAsync(Vault(), "NAME", CancellationToken.None), "cannot be reached", "Unreachable");
        await RefusedAsync(client => client.FetchAsync(Vault(serviceToken: FakeInfisical.ServiceToken), "NAME", CancellationToken.None), "cannot be reached", "Unreachable");
    }

    [Fact]
    public async Task A_site_that_is_slow_is_waited_for_five_seconds()
    {
        var time = new FakeTimeProvider();
        var client = Client(time);
        var (asked, ends) = (new TaskCompletionSource(), new TaskCompletionSource());
        _fake.Backend.Disturb = async context =>
        {
            asked.TrySetResult();
            await ends.Task;
            return true;
        };

        var fetch = RefusedAsync(_ => client.FetchAsync(Vault(serviceToken: FakeInfisical.ServiceToken), "NAME", CancellationToken.None), "within 5 seconds", "TimedOut");
        await asked.Task;
        time.Advance(BackendHttp.Limit - TimeSpan.FromMilliseconds(1));
        Assert.False(fetch.IsCompleted);
        time.Advance(TimeSpan.FromMilliseconds(1));
        await fetch;
        ends.SetResult();
    }

    [Fact]
    public async Task Verifying_logs_in_and_lists()
    {
        await ((IInfisicalVerifier)Client()).VerifyAsync(Vault(), CancellationToken.None);

        Assert.Equal(1, _fake.LogIns);
        Assert.StartsWith("GET /api/v4/secrets?", _fake.Backend.Requests[^1], StringComparison.Ordinal);
        await RefusedAsync(client => client.VerifyAsync(Vault(project: "other"), CancellationToken.None), "knows no such project", "Misplaced");
    }

    [Fact]
    public async Task A_name_is_escaped()
    {
        Assert.Null(await Client().FetchAsync(Vault(), "a b?c", CancellationToken.None));

        Assert.StartsWith("GET /api/v4/secrets/a%20b%3Fc?", _fake.Backend.Requests[^1], StringComparison.Ordinal);
    }

    private int Asked(string part) => _fake.Backend.Requests.Count(request => request.Contains(part, StringComparison.Ordinal));

    private InfisicalClient Client(TimeProvider? time = null)
    {
        _http ??= new BackendHttp(time ?? TimeProvider.System);
        return new(_http, time ?? TimeProvider.System, _log);
    }

    private InfisicalVault Vault(string? secret = null, string? serviceToken = null, string path = "/", string project = FakeInfisical.ProjectId) => serviceToken is null
        ? new(_fake.Site, project, "prod", path, FakeInfisical.ClientId, new Secret(secret ?? FakeInfisical.ClientSecret))
        : new(_fake.Site, project, "prod", path, ClientId: null, new Secret(serviceToken));

    /// <summary>Asserts that a question ends with an error that names the source, the host and what to do, and that neither it nor the log shows what nobody may see.</summary>
    private async Task RefusedAsync(Func<InfisicalClient, Task> ask, string says, string logs)
    {
        var logged = _log.All.Count;

        var refusal = await Assert.ThrowsAsync<CerverException>(() => ask(Client()));

        Assert.Equal(CerverError.SecretBackendUnavailable, refusal.Code);
        Assert.StartsWith($"The source 'infisical' has no answer. {new Uri(_fake.Site).Authority} ", refusal.Message, StringComparison.Ordinal);
        Assert.Contains(says, refusal.Message, StringComparison.Ordinal);
        Assert.Null(refusal.InnerException);
        Assert.Contains($" {logs},", Assert.Single(_log.All.Skip(logged)), StringComparison.Ordinal);
        foreach (var text in _log.All.Append(refusal.ToString()))
        {
            Assert.DoesNotContain("nobody-sees", text, StringComparison.Ordinal);
            Assert.All(_fake.Tokens, token => Assert.DoesNotContain(token, text, StringComparison.Ordinal));
        }
    }
}
