using Microsoft.Extensions.Options;

namespace Cerver.Grains.Secrets.Infisical;

/// <summary>Which instances of Infisical accounts may name. The gateway calls them, and must not be made to call whatever else it can reach.</summary>
internal sealed class InfisicalSiteOptions
{
    /// <summary>Where the settings stand.</summary>
    public const string Section = "Cerver:Secrets:Infisical";

    /// <summary>The name of the setting.</summary>
    internal const string Setting = Section + ":" + nameof(Sites);

    /// <summary>The most instances that can be named.</summary>
    internal const int MaxSites = 100;

    /// <summary>The longest address, in characters.</summary>
    internal const int MaxAddressCharacters = 200;

    private static readonly ImmutableArray<string> Hosted = ["https://app.infisical.com", "https://us.infisical.com", "https://eu.infisical.com"];

    /// <summary>The addresses of the instances, at most 100; when there are none, those of the hosted service.</summary>
    public IList<string> Sites { get; } = [];

    /// <summary>The addresses, of which the first is what a vault has that names none.</summary>
    internal ImmutableArray<string> Allowed() => Sites.Count == 0 ? Hosted : [.. Sites.Select(static site => Normalize(site)!)];

    /// <summary>An address as it is kept: scheme, host and, unless it is the usual one, port; null for anything else.</summary>
    internal static string? Normalize(string text) =>
        text.Length <= MaxAddressCharacters
        && Uri.TryCreate(text, UriKind.Absolute, out var address)
        && (address.Scheme.Equals(Uri.UriSchemeHttps, StringComparison.Ordinal) || address.Scheme.Equals(Uri.UriSchemeHttp, StringComparison.Ordinal))
        && address is { PathAndQuery: "/", Fragment: "", UserInfo: "" }
            ? address.GetLeftPart(UriPartial.Authority)
            : null;
}

/// <summary>Checks <see cref="InfisicalSiteOptions"/> before the first request.</summary>
internal sealed class InfisicalSiteOptionsValidator : IValidateOptions<InfisicalSiteOptions>
{
    /// <inheritdoc/>
    public ValidateOptionsResult Validate(string? name, InfisicalSiteOptions options)
    {
        if (options.Sites.Count > InfisicalSiteOptions.MaxSites)
        {
            return ValidateOptionsResult.Fail($"{InfisicalSiteOptions.Setting} names {options.Sites.Count} instances; at most {InfisicalSiteOptions.MaxSites} are allowed.");
        }

        return options.Sites.FirstOrDefault(static site => InfisicalSiteOptions.Normalize(site) is null) is { } wrong
            ? ValidateOptionsResult.Fail($"{InfisicalSiteOptions.Setting} has '{wrong}', which is not the address of an instance: 'https://' and a host, nothing after it.")
            : ValidateOptionsResult.Success;
    }
}
