using Cerver.Errors;
using Cerver.Secrets;
using Orleans.Runtime;

namespace Cerver.Tests.Api;

public sealed class InfisicalVaultAnswerTests : IAsyncLifetime
{
    private const string Vaults = "/v2/account/infisical";
    private const string ClientSecret = "a-client-secret-nobody-may-see";
    private const string Body = $$"""{"label":"Team","project_id":"p1","environment":"dev","client_id":"c1","client_secret":"{{ClientSecret}}","unknown":1}""";

    private ApiHost _api = null!;

    public async Task InitializeAsync() => _api = await ApiHost.StartInClusterAsync(TimeProvider.System);

    public async Task DisposeAsync() => await _api.DisposeAsync();

    [Fact]
    public async Task A_vault_is_answered_without_what_lets_the_gateway_in()
    {
        using var made = await _api.SendAsync(HttpMethod.Post, Vaults, Body);
        using var listed = await _api.SendAsync(HttpMethod.Get, Vaults);

        var id = made.Json.GetProperty("id").GetString();
        var record = $$"""
            {"id":"{{id}}","label":"Team","project_id":"p1","environment":"dev","path":"/","site_url":"https://app.infisical.com","client_id":"c1","is_default":true,"created_at":"2026-07-28T12:00:00Z","last_verified_at":null,"last_verify_error":null}
            """;
        Assert.Equal((201, record, 200, $$"""{"vaults":[{{record}}]}"""), (made.Status, made.Text, listed.Status, listed.Text));
        Assert.True(Ids.IsVault(id!));
        Assert.Equal((ClientSecret, null, "c1", null), (Sent.ClientSecret?.Reveal(), Sent.ServiceToken, Sent.ClientId, Sent.IsDefault));
        Assert.DoesNotContain(ClientSecret, $"{Sent}", StringComparison.Ordinal);
    }

    [Fact]
    public async Task It_is_changed_verified_and_deleted()
    {
        var vault = $"{Vaults}/{await _api.CreateVaultAsync()}";
        using var changed = await _api.SendAsync(HttpMethod.Patch, vault, """{"label":"Other","service_token":"st.x","is_default":true}""");
        var sent = Sent;
        FakeVaults.Fault = "It did not let the gateway in.";
        using var verified = await _api.SendAsync(HttpMethod.Post, $"{vault}/verify");
        using var deleted = await _api.SendAsync(HttpMethod.Delete, vault);
        using var listed = await _api.SendAsync(HttpMethod.Get, Vaults);

        Assert.Equal((200, "Other"), (changed.Status, changed.Json.GetProperty("label").GetString()));
        Assert.Equal(("st.x", null, true), (sent.ServiceToken?.Reveal(), sent.ClientSecret, sent.IsDefault));
        Assert.Equal(
            (200, "2026-07-28T12:00:00Z", "It did not let the gateway in."),
            (verified.Status, verified.Json.GetProperty("last_verified_at").GetString(), verified.Json.GetProperty("last_verify_error").GetString()));
        Assert.Equal((200, true, """{"vaults":[]}"""), (deleted.Status, deleted.Json.GetProperty("ok").GetBoolean(), listed.Text));
    }

    [Theory]
    [InlineData("POST", "", Body)]
    [InlineData("PATCH", "/{id}", """{"label":"Other"}""")]
    [InlineData("DELETE", "/{id}", null)]
    [InlineData("POST", "/{id}/verify", null)]
    public async Task A_call_that_is_not_delivered_and_then_not_answered_is_done_once(string method, string path, string? body)
    {
        var id = await _api.CreateVaultAsync();
        var isDeletion = string.Equals(method, "DELETE", StringComparison.Ordinal);
        _api.Cluster.LostAnswers.Enqueue(new SiloUnavailableException("The silo died."));
        _api.Cluster.Failures.Enqueue(new CerverException(CerverError.Fenced, "Overtaken."));

        using var answer = await _api.SendAsync(new HttpMethod(method), Vaults + path.Replace("{id}", id, StringComparison.Ordinal), body);

        Assert.True(answer.Response.IsSuccessStatusCode, answer.Text);
        Assert.Equal(isDeletion ? 0 : path.Length == 0 ? 2 : 1, FakeVaults.Count);
        Assert.Empty(_api.Cluster.LostAnswers);
    }

    [Theory]
    [InlineData("PATCH", "/vault_1", "{}", 404, "not_found", null)]
    [InlineData("DELETE", "/vault_01980C5E7A10700A9B1E2D3C4F5A6B7C", null, 404, "not_found", null)]
    [InlineData("POST", "/vault_01980c5e7a10700a9b1e2d3c4f5a6b7c/verify", null, 404, "not_found", null)]
    [InlineData("POST", "", null, 400, "invalid_request", null)]
    [InlineData("POST", "", """{"client_secret":[1]}""", 400, "invalid_request", "client_secret")]
    [InlineData("POST", "", """{"is_default":"yes"}""", 400, "invalid_request", "is_default")]
    [InlineData("POST", "", """{"service_token":"a-client-secret-nobody-may-see\u0000"}""", 400, "invalid_request", "service_token")]
    public async Task What_is_no_vault_is_refused(string method, string path, string? body, int status, string code, string? field)
    {
        using var answer = await _api.SendAsync(new HttpMethod(method), Vaults + path, body);

        Assert.Equal((status, code, field), (answer.Status, answer.Code, answer.Field));
        Assert.DoesNotContain(ClientSecret, answer.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Another_accounts_vault_does_not_exist_and_nobody_gets_nothing()
    {
        var vault = $"{Vaults}/{await _api.CreateVaultAsync()}";

        using var listed = await ApiHost.SendAsync(_api.Bob, HttpMethod.Get, Vaults);
        using var verified = await ApiHost.SendAsync(_api.Bob, HttpMethod.Post, $"{vault}/verify");
        using var stranger = await ApiHost.SendAsync(_api.Nobody, HttpMethod.Get, Vaults);

        Assert.Equal(("""{"vaults":[]}""", 404, "not_found", 401), (listed.Text, verified.Status, verified.Code, stranger.Status));
    }

    private FakeInfisicalVaults FakeVaults => _api.Cluster.Vaults(InfisicalVaultKey.For("alice"));

    private InfisicalVaultFields Sent => FakeVaults.Sent!;
}
