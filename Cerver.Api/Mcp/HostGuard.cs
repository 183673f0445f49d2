using System.Net;
using Cerver.Api.Errors;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.Options;

namespace Cerver.Api.Mcp;

/// <summary>
/// Keeps pages of others away from MCP, which programs speak that run where the gateway runs. A page cannot choose its <c>Origin</c>, but it can have its own name
/// point to this machine (DNS rebinding); then origin and host agree, and only the name tells.
/// </summary>
internal sealed class HostGuard(IServer server, IOptions<McpOptions> options)
{
    private readonly ImmutableArray<string> _allowed = options.Value.ReadAllowedHosts();

    /// <summary>Where the server listens is known when the first request comes.</summary>
    private readonly Lazy<bool> _isLoopbackOnly = new(() => server.Features.Get<IServerAddressesFeature>()?.Addresses is { Count: > 0 } addresses
        && addresses.All(static address => IsLoopback(BindingAddress.Parse(address).Host)));

    /// <summary>Passes a request on, or refuses it with 403.</summary>
    public Task PassAsync(HttpContext context, RequestDelegate next)
    {
        var request = context.Request;
        var refused = IsKnownHost(request.Host.Host) ? FindForeignOrigin(request) : $"The host name '{Shorten(request.Host.Host)}'";
        return refused is null
            ? next(context)
            : Refusals.WriteAsync(context, new Refusal(StatusCodes.Status403Forbidden, new ErrorBody
            {
                Error = $"{refused} may not speak MCP to this gateway. If it should, its operator adds it to the setting {McpOptions.Section}:{nameof(McpOptions.AllowedHosts)}.",
                Code = "forbidden",
            }));
    }

    private static bool IsLoopback(string host) =>
        host.Equals("localhost", StringComparison.OrdinalIgnoreCase) || (IPAddress.TryParse(host.Trim('[', ']'), out var address) && IPAddress.IsLoopback(address));

    private static string Shorten(string text) => text.Length <= 100 ? text : $"{text.AsSpan(0, 99)}…";

    private bool IsKnownHost(string host) => (_allowed.IsEmpty && !_isLoopbackOnly.Value) || IsLoopback(host) || IsAllowed(host);

    private string? FindForeignOrigin(HttpRequest request)
    {
        if (request.Headers.Origin.Count == 0)
        {
            return null;
        }

        // The origin of a page that has none, such as a file, is the word "null", which is no host either.
        var isOurs = request.Headers.Origin is [{ } origin]
            && Uri.TryCreate(origin, UriKind.Absolute, out var page)
            && (IsLoopback(page.Host) || page.Host.Equals(request.Host.Host, StringComparison.OrdinalIgnoreCase) || IsAllowed(page.Host));
        return isOurs ? null : $"A page of '{Shorten(request.Headers.Origin.ToString())}'";
    }

    private bool IsAllowed(string host) =>
        _allowed.Any(allowed => allowed == McpOptions.AnyHost || allowed.Trim('[', ']').Equals(host.Trim('[', ']'), StringComparison.OrdinalIgnoreCase));
}
