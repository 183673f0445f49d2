using System.Security.Claims;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Authentication;
using Microsoft.Extensions.Options;

namespace Cerver.Api.Accounts;

/// <summary>Knows which account a token belongs to.</summary>
/// <remarks>
/// Both sides are hashed before they are compared, so the time an answer takes says nothing about how much of a guess was right. One ticket
/// per account serves all its requests.
/// </remarks>
internal sealed class BearerTokens
{
    private readonly Dictionary<long, (byte[] Hash, AuthenticateResult Accepted)[]> _byPrefix;

    public BearerTokens(IOptions<AuthOptions> options) =>
        _byPrefix = options.Value.Tokens
            .Select(static pair => (Hash: SHA256.HashData(Encoding.ASCII.GetBytes(pair.Value)), Accepted: Accept(pair.Key, Mask(pair.Value))))
            .GroupBy(static known => BitConverter.ToInt64(known.Hash))
            .ToDictionary(static group => group.Key, static group => group.ToArray());

    /// <summary>The result that lets the token's account in, or null for a token that nobody has.</summary>
    public AuthenticateResult? Find(ReadOnlySpan<char> token)
    {
        const int MaxBytes = 512;
        Span<byte> bytes = stackalloc byte[MaxBytes];
        if (!Encoding.UTF8.TryGetBytes(token, bytes, out var length))
        {
            return null;
        }

        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(bytes[..length], hash);
        if (_byPrefix.TryGetValue(BitConverter.ToInt64(hash), out var candidates))
        {
            foreach (var candidate in candidates)
            {
                if (CryptographicOperations.FixedTimeEquals(candidate.Hash, hash))
                {
                    return candidate.Accepted;
                }
            }
        }

        return null;
    }

    /// <summary>A token as it may be shown: its beginning, from which nobody guesses the rest.</summary>
    internal static string Mask(string token)
    {
        const int KeyCharacters = 8;
        const int MinKeyLength = 32;
        const int OtherCharacters = 3;
        var isKey = token.Length >= MinKeyLength && (token.StartsWith("ck_", StringComparison.Ordinal) || token.StartsWith("pk_", StringComparison.Ordinal));
        return $"{token.AsSpan(0, isKey ? KeyCharacters : OtherCharacters)}…";
    }

    private static AuthenticateResult Accept(string accountId, string masked)
    {
        var identity = new ClaimsIdentity(
            [new Claim(ClaimTypes.NameIdentifier, accountId), new Claim(Caller.KeyClaim, masked)], BearerAuthentication.Scheme);
        return AuthenticateResult.Success(new AuthenticationTicket(new ClaimsPrincipal(identity), BearerAuthentication.Scheme));
    }
}
