using System.Net.Http.Headers;
using Cerver.Api.Hosting;

namespace Cerver.Api.Mcp.Stdio;

/// <summary>
/// The command <c>mcp</c>: speaks MCP on standard input and output for clients that know no HTTP, and passes every message on to a gateway. It is no gateway itself
/// and starts nothing of one.
/// </summary>
internal static class BridgeProgram
{
    private const string UrlVariable = "CERVER_URL";
    private const string TokenVariable = "CERVER_API_TOKEN";
    private const string DefaultUrl = "http://127.0.0.1:8080";
    private const string Usage = "mcp [--url http://HOST:PORT], or CERVER_URL; the token is in CERVER_API_TOKEN, because arguments can be read by everybody on the machine.";

    private static readonly TimeSpan ConnectLimit = TimeSpan.FromSeconds(10);

    /// <summary>Runs until standard input ends.</summary>
    /// <param name="args">What stands after <c>mcp</c>.</param>
    /// <returns>The exit code: 0 after the end of the input, 1 when it could not start or nobody reads the output any more.</returns>
    public static async Task<int> RunAsync(string[] args)
    {
        var (url, token) = (Environment.GetEnvironmentVariable(UrlVariable), Environment.GetEnvironmentVariable(TokenVariable));
        for (var rest = args.AsMemory(); !rest.IsEmpty; rest = rest[2..])
        {
            switch (rest.Span)
            {
                case ["--url", var value, ..]:
                    url = value;
                    break;
                default:
                    return await StartFailures.RefuseAsync($"'{rest.Span[0]}' is not known here, or lacks its value. Usage: {Usage}", StartFailures.CouldNotStart);
            }
        }

        if (EndpointOf(string.IsNullOrEmpty(url) ? DefaultUrl : url) is not { } endpoint)
        {
            return await StartFailures.RefuseAsync($"'{url}' is not the address of a gateway. It looks like {DefaultUrl}. Usage: {Usage}", StartFailures.CouldNotStart);
        }

        if (token?.AsSpan().ContainsAnyExceptInRange('!', '~') == true)
        {
            return await StartFailures.RefuseAsync("The token has characters that no token has.", StartFailures.CouldNotStart);
        }

        using var gateway = new HttpClient(new SocketsHttpHandler { ConnectTimeout = ConnectLimit, AllowAutoRedirect = false })
        {
            Timeout = Timeout.InfiniteTimeSpan,
            DefaultRequestHeaders = { Authorization = string.IsNullOrEmpty(token) ? null : new AuthenticationHeaderValue("Bearer", token) },
        };
        await using var output = Console.OpenStandardOutput();
        await using var input = Console.OpenStandardInput();
        using var bridge = new StdioBridge(gateway, endpoint, output, Console.Error);
        return await bridge.RunAsync(input);
    }

    private static Uri? EndpointOf(string url) =>
        Uri.TryCreate(url, UriKind.Absolute, out var address) && (address.Scheme == Uri.UriSchemeHttp || address.Scheme == Uri.UriSchemeHttps)
            ? address.AbsolutePath == "/" ? new Uri(address, McpRegistration.Path) : address
            : null;
}
