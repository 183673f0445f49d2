using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Options;

namespace Cerver.Relay;

/// <summary>Where the gateway is and what this machine is there.</summary>
internal sealed class RelaySettings
{
    /// <summary>Where the settings stand. On the command line each is its own word: <c>--url</c>, <c>--token</c>, <c>--label</c>, <c>--data</c>.</summary>
    public const string Section = "Cerver:Relay";

    /// <summary>The address of the gateway, such as <c>https://cerver.example.com</c>.</summary>
    [Required]
    public Uri? Url { get; set; }

    /// <summary>A token of the account that the machine is lent to.</summary>
    [Required]
    public string? Token { get; set; }

    /// <summary>What people see, at most 200 characters; the name of the machine when it is not given.</summary>
    [MaxLength(200)]
    public string? Label { get; set; }

    /// <summary>The directory that has the machine's id, the files of its sandboxes and what could not be sent yet.</summary>
    [Required]
    public string? Data { get; set; }
}

/// <summary>Checks the settings before the first request.</summary>
[OptionsValidator]
internal sealed partial class RelaySettingsValidator : IValidateOptions<RelaySettings>;
