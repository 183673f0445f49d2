using Cerver.Errors;
using Microsoft.AspNetCore.Http.Features;

namespace Cerver.Api.Requests;

/// <summary>
/// Refuses addresses with <c>.</c> and <c>..</c>. The server takes them out before anybody sees the path, so <c>DELETE …/files/..</c> would be a call for the
/// session itself. Clients take them out by themselves; who sends them has put a name into an address without looking at it.
/// </summary>
internal static class DotSegments
{
    /// <summary>Passes on what has none.</summary>
    /// <exception cref="CerverException"><see cref="CerverError.InvalidRequest"/>.</exception>
    public static Task PassAsync(HttpContext context, RequestDelegate next) => IsIn(context.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget)
        ? throw new CerverException(CerverError.InvalidRequest, "The path of an address must not have '.' or '..' between its slashes, also not percent-encoded.", "path")
        : next(context);

    private static bool IsIn(ReadOnlySpan<char> target)
    {
        if (target.IndexOf('?') is var query and >= 0)
        {
            target = target[..query];
        }

        foreach (var range in target.Split('/'))
        {
            if (IsDots(target[range]))
            {
                return true;
            }
        }

        return false;
    }

    private static bool IsDots(ReadOnlySpan<char> segment)
    {
        const string Encoded = "%2e";
        var dots = 0;
        while (!segment.IsEmpty)
        {
            var length = segment[0] == '.' ? 1 : segment.StartsWith(Encoded, StringComparison.OrdinalIgnoreCase) ? Encoded.Length : 0;
            if (length == 0 || ++dots > 2)
            {
                return false;
            }

            segment = segment[length..];
        }

        return dots > 0;
    }
}
