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

    protected override Task<AuthenticateResult> HandleAuthenticateAsync()
    {
        var header = Request.Headers.Authorization;
        if (header is [{ } value] && value.StartsWith(Prefix, StringComparison.OrdinalIgnoreCase))
        {
            return Task.FromResult(tokens.Find(value.AsSpan(Prefix.Length).Trim(' ')) ?? Unknown);
        }

        return Task.FromResult(Context.GetEndpoint()?.Metadata.GetMetadata<TokenInQuery>() is { } allowed && Request.Query[allowed.Name] is [{ } token]
            ? tokens.Find(token) ?? Unknown
            : AuthenticateResult.NoResult());
    }

    protected override Task HandleChallengeAsync(AuthenticationProperties properties)
    {
        Response.Headers.WWWAuthenticate = Scheme;
        return Refusals.WriteAsync(Context, Refusals.Unauthorized);
    }
}
