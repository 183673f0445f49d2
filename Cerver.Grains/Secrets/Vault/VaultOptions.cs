using Cerver.Grains.Secrets.Backends;
using Microsoft.Extensions.Options;

namespace Cerver.Grains.Secrets.Vault;

/// <summary>A HashiCorp Vault or an OpenBao that an operator gives to accounts. Without an address there is none.</summary>
internal sealed class VaultOptions
{
    /// <summary>Where the settings stand.</summary>
    public const string Section = "Cerver:Secrets:Vault";

    /// <summary>What stands in <see cref="Path"/> for the account that asks.</summary>
    internal const string Account = "{account}";

    /// <summary>The address of the server, without a path.</summary>
    public string Address { get; set; } = "";

    /// <summary>The namespace, or empty for the root's.</summary>
    public string Namespace { get; set; } = "";

    /// <summary>Where the engine for secrets is mounted, a KV of version 2.</summary>
    public string Mount { get; set; } = "secret";

    /// <summary>The folder in the mount, empty for the topmost; <c>{account}</c> in it is the account's id.</summary>
    public string Path { get; set; } = "";

    /// <summary>The field of a document that is the secret. A document with one text only needs no such field.</summary>
    public string Field { get; set; } = "value";

    /// <summary>A token.</summary>
    public string Token { get; set; } = "";

    /// <summary>The role that logs in with AppRole, instead of a token.</summary>
    public string RoleId { get; set; } = "";

    /// <summary>The role's secret id.</summary>
    public string SecretId { get; set; } = "";

    /// <summary>Where AppRole is mounted.</summary>
    public string AppRoleMount { get; set; } = "approle";

    /// <summary>The ids of the accounts, at most 10,000; when there are none it is the account <c>default</c> alone.</summary>
    public IList<string> Accounts { get; } = [];

    /// <summary>Whether there is a server.</summary>
    internal bool IsConfigured => Address.Length > 0;
}

/// <summary>Checks <see cref="VaultOptions"/> before the first request.</summary>
internal sealed class VaultOptionsValidator : IValidateOptions<VaultOptions>
{
    /// <inheritdoc/>
    public ValidateOptionsResult Validate(string? name, VaultOptions options)
    {
        var wrong = WrongWith(options);
        return wrong is null
            ? SecretAccounts.Check(Setting(nameof(VaultOptions.Accounts)), options.Accounts)
            : ValidateOptionsResult.Fail(wrong);
    }

    private static string? WrongWith(VaultOptions options)
    {
        var hasRole = options.RoleId.Length > 0 || options.SecretId.Length > 0;
        var hasToken = options.Token.Length > 0;
        if (!options.IsConfigured)
        {
            return hasRole || hasToken ? $"{Setting(nameof(VaultOptions.Address))} is missing: set it to the address of the server that these credentials are for." : null;
        }

        return options switch
        {
            _ when !BackendAddress.IsSite(options.Address) =>
                $"{Setting(nameof(VaultOptions.Address))} must be the address of a server without a path, such as https://vault.example.com:8200.",
            _ when options.Namespace.Length > 0 && !BackendHttp.CanBeSent(options.Namespace) => $"{Setting(nameof(VaultOptions.Namespace))} is not the name of a namespace.",
            _ when !IsPath(options.Mount) => $"{Setting(nameof(VaultOptions.Mount))} must be the path of a mount such as 'secret', without '/' at its ends.",
            _ when !IsPath(options.AppRoleMount) => $"{Setting(nameof(VaultOptions.AppRoleMount))} must be the path of a mount such as 'approle', without '/' at its ends.",
            _ when options.Path.Length > 0 && !IsPath(options.Path) => $"{Setting(nameof(VaultOptions.Path))} must be empty or a folder such as 'agents/{VaultOptions.Account}', without '/' at its ends.",
            _ when options.Path.Replace(VaultOptions.Account, "", StringComparison.Ordinal).AsSpan().ContainsAny('{', '}') =>
                $"{Setting(nameof(VaultOptions.Path))} has braces around something else than 'account'; only {VaultOptions.Account} stands for something.",
            { Field: "" } => $"{Setting(nameof(VaultOptions.Field))} must be the name of a field, such as value.",
            _ when hasRole && hasToken => $"{Setting(nameof(VaultOptions.Token))} is set beside {nameof(VaultOptions.RoleId)} and {nameof(VaultOptions.SecretId)}: remove one or the other.",
            _ when hasToken && !BackendHttp.CanBeSent(options.Token) => $"{Setting(nameof(VaultOptions.Token))} is no token: it has spaces, line breaks or other characters that none has.",
            { Token: "", RoleId: "" } => $"{Setting(nameof(VaultOptions.RoleId))} is missing: set it and {nameof(VaultOptions.SecretId)}, or {nameof(VaultOptions.Token)}.",
            { Token: "", SecretId: "" } => $"{Setting(nameof(VaultOptions.SecretId))} is missing: set it to a secret id of the role.",
            _ => null,
        };
    }

    private static bool IsPath(string text) => Array.TrueForAll(text.Split('/'), static part => part is not ("" or "." or ".."));

    private static string Setting(string name) => $"{VaultOptions.Section}:{name}";
}
