using System.Net;
using System.Net.Sockets;
using Cerver.Api.Hosting;
using Cerver.Grains.Computes;
using Cerver.Grains.Computes.Hosts;
using Cerver.Grains.Storage;
using Cerver.Grains.Storage.Sqlite;
using Cerver.Silo.Storage;
using Orleans.Configuration;
using Orleans.Storage;

namespace Cerver.Silo.Standalone;

/// <summary>Orleans for one process: no other silo, no client from outside, grain state in SQLite.</summary>
internal static partial class StandaloneSilo
{
    /// <summary>The name by which the ADO.NET providers know SQLite, whichever library it is.</summary>
    private const string Invariant = "System.Data.SQLite";

    /// <summary>How long a start may be held up by looking for damage. Some gigabytes are looked at in this time.</summary>
    private static readonly TimeSpan GlanceLimit = TimeSpan.FromSeconds(5);

    /// <summary>Sets up a silo that is a cluster of its own.</summary>
    /// <exception cref="GatewayStartException">
    /// A file of the data directory was written by a newer version, is damaged, or cannot be written.
    /// </exception>
    public static void ConfigureStandalone(this ISiloBuilder silo, DataDirectory data)
    {
        silo.UseLocalhostClustering(FreePort(), gatewayPort: 0, serviceId: "cerver", clusterId: "cerver");
        silo.Configure<EndpointOptions>(options => options.AdvertisedIPAddress = IPAddress.Loopback);
        silo.UseDataDirectory(data);
    }

    /// <summary>Keeps state in the data directory's files, which are brought up to date, and live output in memory.</summary>
    /// <exception cref="GatewayStartException">A file was written by a newer version, is damaged, or cannot be written.</exception>
    public static void UseDataDirectory(this ISiloBuilder silo, DataDirectory data)
    {
        var grainState = new SqliteDatabase(data.GrainStatePath);
        Prepare(silo, new SqliteDatabase(data.DatabasePath), prefix: "");
        Prepare(silo, grainState, prefix: "orleans_");

        silo.UseSystemTextJsonGrainStorageSerializer();
        silo.AddAdoNetGrainStorage(GuardedGrainStorage.InnerName(ComputeGrain.StorageName), options =>
        {
            options.Invariant = Invariant;
            options.ConnectionString = grainState.ConnectionString;
            options.DeleteStateOnClear = true;
        });
        silo.Services.AddKeyedSingleton<IGrainStorage>(ComputeGrain.StorageName, (services, _) => new GuardedGrainStorage(
            services.GetRequiredKeyedService<IGrainStorage>(GuardedGrainStorage.InnerName(ComputeGrain.StorageName)), Guard(services)));

        silo.UseAdoNetReminderService(options =>
        {
            options.Invariant = Invariant;
            options.ConnectionString = grainState.ConnectionString;
        });
        var unguarded = silo.Services.Last(service => service.ServiceType == typeof(IReminderTable)).ImplementationType!;
        silo.Services.AddSingleton<IReminderTable>(services => new GuardedReminderTable(
            (IReminderTable)ActivatorUtilities.CreateInstance(services, unguarded), Guard(services)));

        // Subscriptions to live output die with the process, as do those who subscribed.
        silo.AddMemoryGrainStorage("PubSubStore");
        PromptMemoryStreams.Add(silo, queues: 1);
        silo.Services.AddSingleton<ISandboxHosts, SingleHost>();
        silo.AddStartupTask(static (services, cancellationToken) => SiloStart.SettleAsync(
            services, isGone: static _ => true, sweepBefore: DateTimeOffset.MaxValue, cancellationToken));

        SqliteGuard Guard(IServiceProvider services) => new(grainState, services.GetRequiredService<StorageFailure>());
    }

    /// <summary>Looks whether a file is sound and brings it up to date.</summary>
    private static void Prepare(ISiloBuilder silo, SqliteDatabase database, string prefix)
    {
        try
        {
            var glance = database.Glance(GlanceLimit, TimeProvider.System);
            if (glance.Damage is not null)
            {
                throw Damaged(database, glance.Damage);
            }

            database.Migrate(prefix);
            if (!glance.Unseen.IsEmpty)
            {
                var unseen = string.Join(", ", glance.Unseen);
                silo.AddStartupTask((services, _) =>
                {
                    var logger = services.GetRequiredService<ILogger<SqliteDatabase>>();
                    LogUnseen(logger, database.Path, GlanceLimit, unseen);
                    return Task.CompletedTask;
                });
            }
        }
        catch (InvalidOperationException newer)
        {
            throw new GatewayStartException(newer.Message);
        }
        catch (Microsoft.Data.Sqlite.SqliteException damaged) when (SqliteFault.IsDamage(damaged))
        {
            throw Damaged(database, damaged.Message);
        }
        catch (Microsoft.Data.Sqlite.SqliteException refused)
        {
            throw new GatewayStartException(
                $"The database '{database.Path}' cannot be used: {refused.Message.TrimEnd('.')}. See that its disk has room and lets the gateway write, or name another directory with CERVER_DATA.",
                mayPass: true);
        }
    }

    private static GatewayStartException Damaged(SqliteDatabase database, string finding) => new(
        $"The database '{database.Path}' is damaged ({finding.ReplaceLineEndings(" ").Trim().TrimEnd('.')}). Restore the data directory "
        + $"'{Path.GetDirectoryName(database.Path)}' from a backup; 'dotnet Cerver.Silo.dll check' tells more about the damage.");

    [LoggerMessage(Level = LogLevel.Information, Message = "The start looked for damage in {Path} for {Limit} and did not come to: {Tables}. The command 'check' looks at everything")]
    private static partial void LogUnseen(ILogger logger, string path, TimeSpan limit, string tables);

    /// <summary>A port that is free now: several gateways on one machine must not meet.</summary>
    private static int FreePort()
    {
        using var probe = new TcpListener(IPAddress.Loopback, port: 0);
        probe.Start();
        return ((IPEndPoint)probe.LocalEndpoint).Port;
    }
}
