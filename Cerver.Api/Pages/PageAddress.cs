using System.Text.RegularExpressions;

namespace Cerver.Api.Pages;

/// <summary>Where the gateway is, as whoever asks sees it. What pages say is run and followed, so nothing is taken over that is not plainly a host.</summary>
internal static partial class PageAddress
{
    /// <summary>Where a gateway is unless it is told otherwise. Stands where a request does not say.</summary>
    public const string Default = "http://127.0.0.1:8080";

    /// <summary>Scheme, host and port.</summary>
    /// <param name="request">The request.</param>
    /// <param name="trustsProxy">Whether what a proxy says of the request that it got goes first.</param>
    public static string Of(HttpRequest request, bool trustsProxy)
    {
        var scheme = (trustsProxy ? Forwarded(request, "X-Forwarded-Proto") : null) ?? request.Scheme;
        var host = (trustsProxy ? Forwarded(request, "X-Forwarded-Host") : null) ?? request.Host.Value ?? "";
        return scheme.ToLowerInvariant() is "http" or "https" && Host().IsMatch(host) ? $"{scheme.ToLowerInvariant()}://{host.ToLowerInvariant()}" : Default;
    }

    /// <summary>The last value: a proxy may add its own to those that the client sent.</summary>
    private static string? Forwarded(HttpRequest request, string header) =>
        request.Headers[header] is { Count: > 0 } values && values[^1] is { Length: > 0 } value ? value[(value.LastIndexOf(',') + 1)..].Trim(' ') : null;

    [GeneratedRegex(
        @"^([A-Za-z0-9][A-Za-z0-9_.-]{0,252}|\[[0-9A-Fa-f:.]{2,45}\])(:[0-9]{1,5})?\z",
        RegexOptions.ExplicitCapture | RegexOptions.CultureInvariant,
        matchTimeoutMilliseconds: 1000)]
    private static partial Regex Host();
}
