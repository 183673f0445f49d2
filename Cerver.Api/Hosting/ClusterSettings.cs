using System.ComponentModel.DataAnnotations;
using System.Net;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Options;

namespace Cerver.Api.Hosting;

/// <summary>Where a gateway keeps what it knows.</summary>
internal enum StorageKind
{
    /// <summary>In files of its data directory. One process is the whole gateway.</summary>
    Sqlite = 0,

    /// <summary>In a PostgreSQL database that any number of silos and front doors of one cluster share.</summary>
    Postgres = 1,
}

/// <summary>What the processes of one cluster must agree on, and where others find this one.</summary>
internal sealed class ClusterSettings
{
    /// <summary>The configuration section.</summary>
    public const string Section = "Cerver:Cluster";

    /// <summary>The connection string of the database, below <c>ConnectionStrings</c>.</summary>
    public const string ConnectionName = "Cerver";

    private const string StorageSetting = "Cerver:Storage";

    /// <summary>
    /// Names the cluster: its silos and front doors find each other by it. It does not let two clusters share a database, which belongs to
    /// one.
    /// </summary>
    [Required, StringLength(100)]
    public string ClusterId { get; set; } = "cerver";

    /// <summary>Names what is stored for grains. The same for as long as the database is.</summary>
    [Required, StringLength(100)]
    public string ServiceId { get; set; } = "cerver";

    /// <summary>The port on which silos talk to each other.</summary>
    [Range(1, 65535)]
    public int SiloPort { get; set; } = 11_111;

    /// <summary>The port on which front doors talk to this silo.</summary>
    [Range(1, 65535)]
    public int GatewayPort { get; set; } = 30_000;

    /// <summary>
    /// The IP address by which other processes reach this silo, or null for the first one of the machine that is not a loopback's.
    /// </summary>
    public string? AdvertisedAddress { get; set; }

    /// <summary>Whether a silo is a pod of Kubernetes, which then says its address and which other pods are gone.</summary>
    public bool Kubernetes { get; set; }

    /// <summary>
    /// Whether a silo brings the schema of the database up to date when it starts. If not, the command <c>migrate</c> must have.
    /// </summary>
    public bool MigrateAtStart { get; set; } = true;

    /// <summary>What <c>Cerver:Storage</c> says.</summary>
    /// <exception cref="GatewayStartException">It says something else.</exception>
    public static StorageKind StorageIn(IConfiguration configuration) =>
        configuration[StorageSetting] is not { Length: > 0 } named ? StorageKind.Sqlite
        : Enum.TryParse<StorageKind>(named, ignoreCase: true, out var kind) && Enum.IsDefined(kind) && !char.IsAsciiDigit(named[0]) ? kind
        : throw new GatewayStartException(
            $"The setting {StorageSetting} is wrong: '{named}' is not one of {string.Join(", ", Enum.GetNames<StorageKind>())}.");

    /// <summary>The database's connection string.</summary>
    /// <exception cref="GatewayStartException">There is none.</exception>
    public static string ConnectionIn(IConfiguration configuration) =>
        configuration.GetConnectionString(ConnectionName) is { Length: > 0 } connection
            ? connection
            : throw new GatewayStartException(
                $"There is no database: set ConnectionStrings:{ConnectionName} (ConnectionStrings__{ConnectionName} in the environment), such as 'Host=db;Database=cerver;Username=cerver;Password=…'.");

    /// <summary>The settings of the section, checked.</summary>
    /// <exception cref="OptionsValidationException">One is out of its range.</exception>
    public static ClusterSettings ReadFrom(IConfiguration configuration)
    {
        var settings = new ClusterSettings();
        configuration.GetSection(Section).Bind(settings);
        var checkedNow = new ClusterSettingsValidator().Validate(name: null, settings);
        if (checkedNow.Failed)
        {
            throw new OptionsValidationException(Options.DefaultName, typeof(ClusterSettings), checkedNow.Failures);
        }

        return settings.AdvertisedAddress is null || IPAddress.TryParse(settings.AdvertisedAddress, out _)
            ? settings
            : throw new GatewayStartException($"The setting {Section}:{nameof(AdvertisedAddress)} is wrong: '{settings.AdvertisedAddress}' is not an IP address.");
    }
}

/// <summary>Checks the settings before anything is started.</summary>
[OptionsValidator]
internal sealed partial class ClusterSettingsValidator : IValidateOptions<ClusterSettings>;
