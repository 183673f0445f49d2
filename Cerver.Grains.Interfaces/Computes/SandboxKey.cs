namespace Cerver.Computes;

/// <summary>The grain key of a sandbox: its account and its id.</summary>
public static class SandboxKey
{
    private const string Prefix = "sandbox:";

    /// <summary>The key of one sandbox.</summary>
    public static string For(string accountId, string sandboxId) => $"{Prefix}{accountId}/{sandboxId}";

    /// <summary>The account and the sandbox that a key names.</summary>
    public static (string AccountId, string SandboxId) Parse(string key)
    {
        var slash = key.IndexOf('/', StringComparison.Ordinal);
        return (key[Prefix.Length..slash], key[(slash + 1)..]);
    }
}
