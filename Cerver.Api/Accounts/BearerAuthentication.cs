using System.Text.Encodings.Web;
using Cerver.Api.Errors;
using Microsoft.AspNetCore.Authentication;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Cerver.Api.Accounts;

/// <summary>
/// Lets in whoever brings <c>Authorization: Bearer TOKEN</c> with a token of <see cref="AuthOptions"/>, or has it in the query where that is allowed.
/// </summary>
internal sealed class BearerAuthentication(
    IOptionsMonitor<AuthenticationSchemeOptions> options, ILoggerFactory logger, UrlEncoder encoder, BearerTokens tokens)
    : AuthenticationHandler<AuthenticationSchemeOptions>(options, logger, encoder)
{
    public new const string Scheme = "Bearer";

    private const string Prefix = Scheme + " ";

    private static readonly AuthenticateResult Unknown = AuthenticateResult.Fail("Nobody has this token.");

    /// <summary>The token that a request brings, whoever has it; null when it brings none.</summary>
    public static string? TokenOf(HttpRequest request)
    {
        if (request.Headers.Authorization is [{ } value] && value.StartsWith(Prefix, StringComparison.OrdinalIgnoreCase))
        {
            return value.AsSpan(Prefix.Length).Trim(' ').ToString();
        }

        return request.HttpContext.GetEndpoint()?.Metadata.GetMetadata<TokenInQuery>() is { } allowed && request.Query[allowed.Name] is [{ } token] ? token : null;
    }

    protected override Task<AuthenticateResult> HandleAuthenticateAsync() =>
        Task.FromResult(TokenOf(Request) is { } token ? tokens.Find(token) ?? Unknown : AuthenticateResult.NoResult());

    protected override Task HandleChallengeAsync(AuthenticationProperties properties)
    {
        Response.Headers.WWWAuthenticate = Scheme;
        return Refusals.WriteAsync(Context, Refusals.Unauthorized);
    }
}
