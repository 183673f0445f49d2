using Microsoft.Extensions.Options;

namespace Cerver.Api.Accounts;

/// <summary>Who may call.</summary>
public sealed class AuthOptions
{
    /// <summary>The configuration section.</summary>
    public const string Section = "Cerver:Auth";

    /// <summary>The most tokens that are legal.</summary>
    internal const int MaxTokens = 10_000;

    private const int MinTokenLength = 16;
    private const int MaxTokenLength = 512;

    /// <summary>
    /// The secret token of each account, by account id (1 .. 64 of <c>a-z</c>, <c>0-9</c>, <c>-</c>).
    /// A token is 16 .. 512 printable ASCII characters without spaces. At least one, at most 10,000.
    /// </summary>
    public IDictionary<string, string> Tokens { get; } = new Dictionary<string, string>(StringComparer.Ordinal);

    internal static bool IsToken(string? text) =>
        text is { Length: >= MinTokenLength and <= MaxTokenLength } && text.AsSpan().IndexOfAnyExceptInRange('!', '~') < 0;
}

/// <summary>Refuses to start with tokens that could not work. Its messages name the setting and never a token.</summary>
internal sealed class AuthOptionsValidator : IValidateOptions<AuthOptions>
{
    public ValidateOptionsResult Validate(string? name, AuthOptions options)
    {
        const string Setting = AuthOptions.Section + ":Tokens";
        if (options.Tokens.Count is 0 or > AuthOptions.MaxTokens)
        {
            return ValidateOptionsResult.Fail($"{Setting} must hold between 1 and {AuthOptions.MaxTokens} tokens, each under its account id.");
        }

        foreach (var (accountId, token) in options.Tokens)
        {
            if (!Ids.IsAccount(accountId))
            {
                return ValidateOptionsResult.Fail($"{Setting}:{accountId} is not an account id: 1 to 64 characters of a-z, 0-9 and '-'.");
            }

            if (!AuthOptions.IsToken(token))
            {
                return ValidateOptionsResult.Fail($"{Setting}:{accountId} must be 16 to 512 printable ASCII characters without spaces.");
            }
        }

        return options.Tokens.Values.Distinct(StringComparer.Ordinal).Count() == options.Tokens.Count
            ? ValidateOptionsResult.Success
            : ValidateOptionsResult.Fail($"{Setting} must give every account a token of its own; two accounts have the same.");
    }
}
