using Cerver.Grains.Secrets;
using Cerver.Tests.Secrets.Backends;
using Microsoft.Extensions.DependencyInjection;

namespace Cerver.Tests.Secrets.Vault;

/// <summary>What connects a Vault by settings, and for whom.</summary>
public sealed class VaultSecretsTests
{
    private static readonly (string Name, string Value)[] Server = [("Vault:Address", "https://vault.example.com:8200"), ("Vault:Token", "nobody-sees")];

    [Fact]
    public async Task A_Vault_of_the_settings_is_open_to_the_account_default_or_to_those_that_are_named()
    {
        await using var one = SecretSettings.Services(Server);
        await using var named = SecretSettings.Services([.. Server, ("Vault:Accounts:0", "alice")]);

        Assert.Equal((true, false), (await IsOpenAsync(one, "default"), await IsOpenAsync(one, "alice")));
        Assert.Equal((false, true), (await IsOpenAsync(named, "default"), await IsOpenAsync(named, "alice")));
    }

    [Fact]
    public async Task Secrets_are_read_as_the_settings_say()
    {
        await using var fake = await FakeVault.StartAsync();
        fake.Documents["agents/default/NAME"] = """{"token": "it", "value": "not it"}""";
        await using var services = SecretSettings.Services(
            ("Vault:Address", fake.Address), ("Vault:Path", "agents/{account}"), ("Vault:Field", "token"), ("Vault:RoleId", FakeVault.RoleId), ("Vault:SecretId", FakeVault.SecretId));
        var source = services.GetServices<ISecretSource>().Last();

        Assert.Equal("it", (await source.FetchAsync("default", "NAME", CancellationToken.None))?.Reveal());
        Assert.Equal(["NAME"], (await source.ListAsync("default", CancellationToken.None)).AsEnumerable());
    }

    [Fact]
    public void Settings_that_connect_nothing_stop_the_start()
    {
        SecretSettings.AssertStopTheStart("Vault:Address", ("Vault:Token", "nobody-sees"));
        SecretSettings.AssertStopTheStart("Vault:Address", ("Vault:Address", "vault"), ("Vault:Token", "nobody-sees"));
        SecretSettings.AssertStopTheStart("Vault:RoleId", ("Vault:Address", "https://vault"));
        SecretSettings.AssertStopTheStart("Vault:SecretId", ("Vault:Address", "https://vault"), ("Vault:RoleId", "role"));
        SecretSettings.AssertStopTheStart("Vault:Token", [.. Server, ("Vault:RoleId", "role")]);
        SecretSettings.AssertStopTheStart("Vault:Token", [.. Server, ("Vault:Token", "nobody-sees with spaces")]);
        SecretSettings.AssertStopTheStart("Vault:Namespace", [.. Server, ("Vault:Namespace", "a b")]);
        SecretSettings.AssertStopTheStart("Vault:Field", [.. Server, ("Vault:Field", "")]);
        SecretSettings.AssertStopTheStart("Vault:Accounts", [.. Server, ("Vault:Accounts:0", "Alice")]);
        foreach (var path in (string[])["/a", "a/", "a//b", "a/../b", "{other}", "a/{account"])
        {
            SecretSettings.AssertStopTheStart("Vault:Path", [.. Server, ("Vault:Path", path)]);
        }

        foreach (var mount in (string[])["", "/secret", "secret/", ".."])
        {
            SecretSettings.AssertStopTheStart("Vault:Mount", [.. Server, ("Vault:Mount", mount)]);
            SecretSettings.AssertStopTheStart("Vault:AppRoleMount", [.. Server, ("Vault:AppRoleMount", mount)]);
        }
    }

    private static ValueTask<bool> IsOpenAsync(IServiceProvider services, string accountId) => services.GetServices<ISecretSource>().Last().IsOpenToAsync(accountId, CancellationToken.None);
}
