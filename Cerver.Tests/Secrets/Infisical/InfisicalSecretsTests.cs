using System.Collections.Immutable;
using Cerver.Errors;
using Cerver.Grains.Secrets;
using Cerver.Grains.Secrets.Backends;
using Cerver.Grains.Secrets.Infisical;
using Cerver.Secrets;
using Cerver.Tests.Secrets.Backends;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;

namespace Cerver.Tests.Secrets.Infisical;

/// <summary>Which vaults are asked for an account, and what connects one by settings.</summary>
public sealed class InfisicalSecretsTests
{
    private static readonly (string Name, string Value)[] Identity =
        [("Infisical:ProjectId", FakeInfisical.ProjectId), ("Infisical:ClientId", FakeInfisical.ClientId), ("Infisical:ClientSecret", FakeInfisical.ClientSecret)];

    [Fact]
    public async Task Nothing_is_open_unless_settings_connect_it()
    {
        await using var services = SecretSettings.Services();
        var sources = services.GetServices<ISecretSource>().ToList();

        Assert.Equal(["infisical", "vault"], sources.Select(static source => source.Name));
        foreach (var source in sources)
        {
            Assert.False(await source.IsOpenToAsync("default", CancellationToken.None));
            Assert.Contains("Cerver:Secrets:", source.HowToAdd("NAME", isOpen: false), StringComparison.Ordinal);
            Assert.Contains("NAME", source.HowToAdd("NAME", isOpen: true), StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_vault_of_the_settings_is_open_to_the_account_default_or_to_those_that_are_named()
    {
        await using var one = SecretSettings.Services(Identity);
        await using var named = SecretSettings.Services([.. Identity, ("Infisical:Accounts:0", "alice")]);

        Assert.Equal((true, false), (await IsOpenAsync(one, "default"), await IsOpenAsync(one, "alice")));
        Assert.Equal((false, true), (await IsOpenAsync(named, "default"), await IsOpenAsync(named, "alice")));
    }

    [Fact]
    public async Task Secrets_are_read_as_the_settings_say()
    {
        await using var fake = await FakeInfisical.StartAsync();
        fake.Secrets[("/agents", "NAME")] = "value";
        await using var services = SecretSettings.Services(
            ("Infisical:SiteUrl", $"{fake.Site}/"), ("Infisical:ProjectId", FakeInfisical.ProjectId), ("Infisical:Path", "/agents"), ("Infisical:ServiceToken", FakeInfisical.ServiceToken));
        var source = services.GetServices<ISecretSource>().First();

        Assert.Equal("value", (await source.FetchAsync("default", "NAME", CancellationToken.None))?.Reveal());
        Assert.Equal(["NAME"], (await source.ListAsync("default", CancellationToken.None)).AsEnumerable());
        await services.GetRequiredService<IInfisicalVerifier>().VerifyAsync((await services.GetRequiredService<IInfisicalVaults>().OfAsync("default", CancellationToken.None))[0], CancellationToken.None);
    }

    [Fact]
    public async Task The_first_vault_that_has_a_secret_has_it()
    {
        await using var first = await FakeInfisical.StartAsync();
        await using var second = await FakeInfisical.StartAsync();
        (first.Secrets[("/", "BOTH")], second.Secrets[("/", "BOTH")], second.Secrets[("/", "SECOND")]) = ("of the first", "of the second", "of the second");
        using var http = new BackendHttp(TimeProvider.System);
        var source = Source(http, [first], [second]);

        Assert.Equal("of the first", (await source.FetchAsync("default", "BOTH", CancellationToken.None))?.Reveal());
        Assert.Equal("of the second", (await source.FetchAsync("default", "SECOND", CancellationToken.None))?.Reveal());
        Assert.Null(await source.FetchAsync("default", "NONE", CancellationToken.None));
        Assert.Equal(["BOTH", "SECOND"], (await source.ListAsync("default", CancellationToken.None)).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task After_a_vault_that_is_down_no_other_is_asked()
    {
        await using var first = await FakeInfisical.StartAsync();
        await using var second = await FakeInfisical.StartAsync();
        second.Secrets[("/", "NAME")] = "of the second";
        await first.Backend.StopAsync();
        using var http = new BackendHttp(TimeProvider.System);
        var source = Source(http, [first, second], []);

        var refusal = await Assert.ThrowsAsync<CerverException>(() => source.FetchAsync("default", "NAME", CancellationToken.None).AsTask());

        Assert.Equal(CerverError.SecretBackendUnavailable, refusal.Code);
        Assert.Empty(second.Backend.Requests);
    }

    [Fact]
    public void Settings_that_connect_nothing_stop_the_start()
    {
        SecretSettings.AssertStopTheStart("Infisical:ProjectId", ("Infisical:ClientSecret", "nobody-sees"));
        SecretSettings.AssertStopTheStart("Infisical:ClientId", ("Infisical:ProjectId", "p"));
        SecretSettings.AssertStopTheStart("Infisical:ClientSecret", ("Infisical:ProjectId", "p"), ("Infisical:ClientId", "c"));
        SecretSettings.AssertStopTheStart("Infisical:ServiceToken", [.. Identity, ("Infisical:ServiceToken", "st.nobody-sees")]);
        SecretSettings.AssertStopTheStart("Infisical:ServiceToken", ("Infisical:ProjectId", "p"), ("Infisical:ServiceToken", "nobody-sees"));
        SecretSettings.AssertStopTheStart("Infisical:Path", [.. Identity, ("Infisical:Path", "agents")]);
        SecretSettings.AssertStopTheStart("Infisical:Environment", [.. Identity, ("Infisical:Environment", "")]);
        SecretSettings.AssertStopTheStart("Infisical:Accounts", [.. Identity, ("Infisical:Accounts:0", "Alice")]);
        foreach (var site in (string[])["app.infisical.com", "https://app.infisical.com/api", "https://user:nobody-sees@host", "file:///etc", "https://host?a=b", ""])
        {
            SecretSettings.AssertStopTheStart("Infisical:SiteUrl", [.. Identity, ("Infisical:SiteUrl", site)]);
        }
    }

    private static ValueTask<bool> IsOpenAsync(IServiceProvider services, string accountId) => services.GetServices<ISecretSource>().First().IsOpenToAsync(accountId, CancellationToken.None);

    private static InfisicalSecrets Source(BackendHttp http, FakeInfisical[] some, FakeInfisical[] others) =>
        new([new FixedVaults(some), new FixedVaults(others)], new InfisicalClient(http, TimeProvider.System, NullLogger<InfisicalClient>.Instance));

    private sealed class FixedVaults(FakeInfisical[] fakes) : IInfisicalVaults
    {
        public ValueTask<ImmutableArray<InfisicalVault>> OfAsync(string accountId, CancellationToken cancellationToken) => ValueTask.FromResult<ImmutableArray<InfisicalVault>>(
            [.. fakes.Select(static fake => new InfisicalVault(fake.Site, FakeInfisical.ProjectId, "prod", "/", FakeInfisical.ClientId, new Secret(FakeInfisical.ClientSecret)))]);
    }
}
