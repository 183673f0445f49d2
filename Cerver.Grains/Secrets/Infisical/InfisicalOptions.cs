using Cerver.Grains.Secrets.Backends;
using Microsoft.Extensions.Options;

namespace Cerver.Grains.Secrets.Infisical;

/// <summary>The project of Infisical that an operator gives to accounts. Without a project there is none.</summary>
internal sealed class InfisicalOptions
{
    /// <summary>Where the settings stand.</summary>
    public const string Section = "Cerver:Secrets:Infisical";

    /// <summary>The address of the instance, without a path.</summary>
    public string SiteUrl { get; set; } = "https://app.infisical.com";

    /// <summary>The id of the project.</summary>
    public string ProjectId { get; set; } = "";

    /// <summary>The slug of the environment.</summary>
    public string Environment { get; set; } = "prod";

    /// <summary>The folder of the secrets; those in folders below are not seen.</summary>
    public string Path { get; set; } = "/";

    /// <summary>The client id of the machine identity that logs in with universal auth.</summary>
    public string ClientId { get; set; } = "";

    /// <summary>Its client secret.</summary>
    public string ClientSecret { get; set; } = "";

    /// <summary>A service token, instead of a machine identity.</summary>
    public string ServiceToken { get; set; } = "";

    /// <summary>The ids of the accounts, at most 10,000; when there are none it is the account <c>default</c> alone.</summary>
    public IList<string> Accounts { get; } = [];

    /// <summary>Whether there is a project.</summary>
    internal bool IsConfigured => ProjectId.Length > 0;
}

/// <summary>Checks <see cref="InfisicalOptions"/> before the first request.</summary>
internal sealed class InfisicalOptionsValidator : IValidateOptions<InfisicalOptions>
{
    /// <inheritdoc/>
    public ValidateOptionsResult Validate(string? name, InfisicalOptions options)
    {
        var wrong = WrongWith(options);
        return wrong is null
            ? SecretAccounts.Check(Setting(nameof(InfisicalOptions.Accounts)), options.Accounts)
            : ValidateOptionsResult.Fail(wrong);
    }

    private static string? WrongWith(InfisicalOptions options)
    {
        var hasIdentity = options.ClientId.Length > 0 || options.ClientSecret.Length > 0;
        var hasToken = options.ServiceToken.Length > 0;
        if (!options.IsConfigured)
        {
            return hasIdentity || hasToken ? $"{Setting(nameof(InfisicalOptions.ProjectId))} is missing: set it to the id of the project whose secrets these credentials read." : null;
        }

        return options switch
        {
            _ when !BackendAddress.IsSite(options.SiteUrl) =>
                $"{Setting(nameof(InfisicalOptions.SiteUrl))} must be the address of an instance without a path, such as https://app.infisical.com.",
            { Environment: "" } => $"{Setting(nameof(InfisicalOptions.Environment))} must be the slug of an environment, such as prod.",
            _ when !options.Path.StartsWith('/') => $"{Setting(nameof(InfisicalOptions.Path))} must be a folder that begins with '/'.",
            _ when hasIdentity && hasToken =>
                $"{Setting(nameof(InfisicalOptions.ServiceToken))} is set beside {nameof(InfisicalOptions.ClientId)} and {nameof(InfisicalOptions.ClientSecret)}: remove one or the other.",
            _ when hasToken && !(options.ServiceToken.StartsWith("st.", StringComparison.Ordinal) && BackendHttp.CanBeSent(options.ServiceToken)) =>
                $"{Setting(nameof(InfisicalOptions.ServiceToken))} is no service token: those begin with 'st.' and have no spaces.",
            { ServiceToken: "", ClientId: "" } => $"{Setting(nameof(InfisicalOptions.ClientId))} is missing: set it to the client id of a machine identity that reads the project.",
            { ServiceToken: "", ClientSecret: "" } => $"{Setting(nameof(InfisicalOptions.ClientSecret))} is missing: set it to the client secret of the machine identity.",
            _ => null,
        };
    }

    private static string Setting(string name) => $"{InfisicalOptions.Section}:{name}";
}
