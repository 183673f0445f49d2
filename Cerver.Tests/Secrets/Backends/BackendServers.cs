using System.Globalization;
using Cerver.Tests.Secrets.Infisical;
using Cerver.Tests.Secrets.Vault;

namespace Cerver.Tests.Secrets.Backends;

/// <summary>The servers that stand for backends of secrets, for <c>scripts/secrets-check</c>, which has the makers' own libraries ask them.</summary>
internal static class BackendServers
{
    /// <summary>Serves on loopback until it is told to end.</summary>
    public static async Task RunAsync(string infisicalPort, string vaultPort)
    {
        await using var infisical = await FakeInfisical.StartAsync(int.Parse(infisicalPort, CultureInfo.InvariantCulture));
        infisical.Secrets[("/", "GREETING")] = "value with ünicode";
        infisical.Secrets[("/", "a.b-c_d")] = "value of a name with marks";
        infisical.Secrets[("/", "WITHHELD")] = "never shown";
        infisical.Secrets[("/agents", "DEEPER")] = "value in a folder";
        infisical.Imports[("/", "IMPORTED")] = "value of an import";
        infisical.Hidden.Add("WITHHELD");
        await using var vault = await FakeVault.StartAsync(int.Parse(vaultPort, CultureInfo.InvariantCulture));
        vault.Documents["GREETING"] = """{"value": "value with ünicode"}""";
        vault.Documents["agents/DEEPER"] = """{"password": "value in a folder"}""";
        vault.Deleted["GONE"] = false;
        await Console.Out.WriteLineAsync("up");
        await vault.Backend.EndAsync();
    }
}
