using Microsoft.Extensions.Options;

namespace Cerver.Api.Mcp;

/// <summary>Who may speak MCP to this gateway.</summary>
public sealed class McpOptions
{
    /// <summary>The configuration section.</summary>
    public const string Section = "Cerver:Mcp";

    /// <summary>The word that lets every host in.</summary>
    internal const string AnyHost = "*";

    private const int MaxHosts = 100;

    /// <summary>
    /// The host names under which others reach this gateway and those of the pages that may call it, without scheme and port, with <c>;</c> between them, at most
    /// 100. <c>*</c> is any. Loopback always is. Empty, only a gateway that listens on loopback alone looks at the name that it is called by.
    /// </summary>
    public string AllowedHosts { get; set; } = "";

    /// <summary>The names one by one.</summary>
    internal ImmutableArray<string> ReadAllowedHosts() =>
        [.. AllowedHosts.Split(';', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)];

    /// <summary>The first name that is none, or null.</summary>
    internal string? FindMistake()
    {
        var hosts = ReadAllowedHosts();
        return hosts.Length > MaxHosts
            ? hosts[MaxHosts]
            : hosts.FirstOrDefault(static host => host != AnyHost && Uri.CheckHostName(host.Trim('[', ']')) == UriHostNameType.Unknown);
    }
}

/// <summary>Refuses to start with names that nobody could have.</summary>
internal sealed class McpOptionsValidator : IValidateOptions<McpOptions>
{
    public ValidateOptionsResult Validate(string? name, McpOptions options) => options.FindMistake() is { } mistake
        ? ValidateOptionsResult.Fail(
            $"{nameof(McpOptions.AllowedHosts)}: '{mistake}' cannot be there. It takes at most 100 host names without scheme and port, such as mcp.example.com;localhost, or * for any.")
        : ValidateOptionsResult.Success;
}
