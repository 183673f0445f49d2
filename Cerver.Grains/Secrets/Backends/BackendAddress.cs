namespace Cerver.Grains.Secrets.Backends;

/// <summary>Addresses of backends. Pure.</summary>
internal static class BackendAddress
{
    /// <summary>Whether a text is the address of a server and of nothing on it.</summary>
    public static bool IsSite(string text) =>
        Uri.TryCreate(text, UriKind.Absolute, out var address)
        && (address.Scheme == Uri.UriSchemeHttps || address.Scheme == Uri.UriSchemeHttp)
        && address is { PathAndQuery: "/", UserInfo: "", Fragment: "" };

    /// <summary>The address of a resource on a server.</summary>
    /// <param name="site">The server's address.</param>
    /// <param name="path">The path, of which every part is escaped.</param>
    /// <param name="query">The names and values of the query.</param>
    public static Uri Of(string site, string path, params ReadOnlySpan<(string Name, string Value)> query)
    {
        var pairs = new List<string>(query.Length);
        foreach (var (name, value) in query)
        {
            pairs.Add($"{name}={Uri.EscapeDataString(value)}");
        }

        return new Uri($"{site.TrimEnd('/')}/{path}{(pairs.Count == 0 ? "" : "?")}{string.Join('&', pairs)}");
    }

    /// <summary>How a server is called in messages: its host, and the port when it is not the usual one.</summary>
    public static string HostOf(string site) => new Uri(site).Authority;
}
