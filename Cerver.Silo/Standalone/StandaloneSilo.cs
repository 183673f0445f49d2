using System.Net;
using System.Net.Sockets;
using Cerver.Grains.Computes;
using Cerver.Grains.Sessions;
using Cerver.Grains.Storage.Sqlite;
using Cerver.Upkeep;
using Orleans.Configuration;

namespace Cerver.Silo.Standalone;

/// <summary>Orleans for one process: no other silo, no client from outside, grain state in SQLite.</summary>
internal static class StandaloneSilo
{
    /// <summary>The name by which the ADO.NET providers know SQLite, whichever library it is.</summary>
    private const string Invariant = "System.Data.SQLite";

    /// <summary>Sets up a silo that is a cluster of its own.</summary>
    /// <exception cref="GatewayStartException">A file of the data directory was written by a newer version, or cannot be read.</exception>
    public static void ConfigureStandalone(this ISiloBuilder silo, DataDirectory data)
    {
        silo.UseLocalhostClustering(FreePort(), gatewayPort: 0, serviceId: "cerver", clusterId: "cerver");
        silo.Configure<EndpointOptions>(options => options.AdvertisedIPAddress = IPAddress.Loopback);
        silo.UseDataDirectory(data);
        silo.AddStartupTask((services, cancellationToken) => services.GetRequiredService<LocalComputeStart>().Probed.WaitAsync(cancellationToken));
    }

    /// <summary>Keeps state in the data directory's files, which are brought up to date, and live output in memory.</summary>
    /// <exception cref="GatewayStartException">A file was written by a newer version, or cannot be read.</exception>
    public static void UseDataDirectory(this ISiloBuilder silo, DataDirectory data)
    {
        var grainState = new SqliteDatabase(data.GrainStatePath);
        Migrate(new SqliteDatabase(data.DatabasePath), prefix: "");
        Migrate(grainState, prefix: "orleans_");

        silo.UseSystemTextJsonGrainStorageSerializer();
        silo.AddAdoNetGrainStorage(ComputeGrain.StorageName, options =>
        {
            options.Invariant = Invariant;
            options.ConnectionString = grainState.ConnectionString;
            options.DeleteStateOnClear = true;
        });

        silo.UseAdoNetReminderService(options =>
        {
            options.Invariant = Invariant;
            options.ConnectionString = grainState.ConnectionString;
        });

        // Subscriptions to live output die with the process, as do those who subscribed.
        silo.AddMemoryGrainStorage("PubSubStore");
        PromptMemoryStreams.Add(silo);
        silo.AddStartupTask(SettleAsync);
    }

    /// <summary>Brings what the last process left in order, before the first request.</summary>
    private static async Task SettleAsync(IServiceProvider services, CancellationToken cancellationToken)
    {
        await services.GetRequiredService<SessionRecovery>().RunAsync(cancellationToken);
        await services.GetRequiredService<SandboxSweep>().RunAtStartAsync(cancellationToken);
        await services.GetRequiredService<IGrainFactory>().GetGrain<IUpkeepGrain>(0).BeginAsync(cancellationToken);
    }

    private static void Migrate(SqliteDatabase database, string prefix)
    {
        try
        {
            database.Migrate(prefix);
        }
        catch (InvalidOperationException newer)
        {
            throw new GatewayStartException(newer.Message);
        }
        catch (Microsoft.Data.Sqlite.SqliteException unreadable)
        {
            throw new GatewayStartException(
                $"The database '{database.Path}' cannot be opened: {unreadable.Message}. Restore it from a backup, or name another directory with CERVER_DATA.");
        }
    }

    /// <summary>A port that is free now: several gateways on one machine must not meet.</summary>
    private static int FreePort()
    {
        using var probe = new TcpListener(IPAddress.Loopback, port: 0);
        probe.Start();
        return ((IPEndPoint)probe.LocalEndpoint).Port;
    }
}
