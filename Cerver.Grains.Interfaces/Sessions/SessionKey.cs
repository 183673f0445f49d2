namespace Cerver.Sessions;

/// <summary>The grain key of a session: its account and its id.</summary>
/// <remarks>
/// With the account in the key, another account's id names a session that does not exist. The prefix keeps the key from reading as a
/// hexadecimal number, which Orleans' storage would take it for.
/// </remarks>
public static class SessionKey
{
    private const string Prefix = "session:";

    /// <summary>The key of one session.</summary>
    public static string For(string accountId, string sessionId) => $"{Prefix}{accountId}/{sessionId}";

    /// <summary>The account and the session that a key names.</summary>
    public static (string AccountId, string SessionId) Parse(string key)
    {
        var slash = key.IndexOf('/', StringComparison.Ordinal);
        return (key[Prefix.Length..slash], key[(slash + 1)..]);
    }
}
