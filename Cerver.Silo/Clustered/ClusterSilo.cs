using System.Net;
using Cerver.Api.Hosting;
using Cerver.Grains.Computes;
using Cerver.Grains.Computes.Hosts;
using Cerver.Silo.Standalone;
using Cerver.Silo.Storage;
using Npgsql;
using Orleans.Configuration;
using Orleans.Serialization;
using Orleans.Storage;

namespace Cerver.Silo.Clustered;

/// <summary>Orleans for one silo of many: membership, grain state, reminders and subscriptions in PostgreSQL.</summary>
internal static class ClusterSilo
{
    /// <summary>More queues than silos, so that each has some, and few enough that looking into them costs nothing.</summary>
    private const int OutputQueues = 8;

    /// <summary>
    /// A grain is placed on the silo that was asked for it unless another one has that much more to spare, in percent: the front door that asked goes on asking there,
    /// and reaches it without a detour by another silo.
    /// </summary>
    private const int LocalMargin = 20;

    /// <summary>
    /// How long a front door that has lost its connection may take to come back and be told of output as before. Later its watchers follow the rows; until then what
    /// it is told is kept for it.
    /// </summary>
    private static readonly TimeSpan FrontDoorReturn = TimeSpan.FromSeconds(10);

    /// <summary>Makes a silo a member of the cluster.</summary>
    /// <param name="silo">The silo.</param>
    /// <param name="settings">Which cluster, and where it is reached.</param>
    /// <param name="database">The database.</param>
    /// <param name="data">The directory of its sandboxes, or null when it has none.</param>
    public static void JoinCluster(this ISiloBuilder silo, ClusterSettings settings, NpgsqlDataSource database, DataDirectory? data)
    {
        silo.Configure<ClusterOptions>(options =>
        {
            options.ClusterId = settings.ClusterId;
            options.ServiceId = settings.ServiceId;
        });
        silo.UseAdoNetClustering(options =>
        {
            options.Invariant = ClusterClient.Invariant;
            options.DataSource = database;
        });
        silo.UseDatabase(database);
        silo.ConfigureEndpoints(settings);
        silo.DetectDeadSilos();
        silo.ForgetDeadFrontDoors();
        silo.KeepActivations();
        silo.PreferWhereItIsCalled();
        if (settings.Kubernetes)
        {
            silo.UseKubernetesHosting();
        }
        else if (data is not null)
        {
            // The same after a restart: a silo is found by it that has the files of sandboxes.
            silo.Configure<SiloOptions>(options => options.SiloName = $"silo-{data.ReadName()}");
        }

        silo.Services.AddSingleton<ISandboxHosts, ClusterHosts>();
        silo.AddStartupTask((services, cancellationToken) => SiloStart.SettleAsync(
            services,
            host => host.Equals(services.GetRequiredService<ISandboxHosts>().Own, StringComparison.Ordinal),
            services.GetRequiredService<TimeProvider>().GetUtcNow() - SandboxSweep.Age,
            cancellationToken));
    }

    /// <summary>Keeps state in the database, and live output in the memory of the silos.</summary>
    public static void UseDatabase(this ISiloBuilder silo, NpgsqlDataSource database)
    {
        silo.UseSystemTextJsonGrainStorageSerializer();
        silo.AddGrainStorage(ComputeGrain.StorageName, database);

        // Subscriptions to live output outlive the silo that keeps them, or watchers in other processes would wait for the rows only. Orleans's own types for them
        // cannot be read from plain JSON.
        silo.AddGrainStorage("PubSubStore", database);
        silo.Services.AddOptions<AdoNetGrainStorageOptions>(GuardedGrainStorage.InnerName("PubSubStore"))
            .Configure<Serializer>(static (options, serializer) => options.GrainStorageSerializer = new OrleansGrainStorageSerializer(serializer));
        silo.UseAdoNetReminderService(options =>
        {
            options.Invariant = ClusterClient.Invariant;
            options.DataSource = database;
        });
        var unguarded = silo.Services.Last(service => service.ServiceType == typeof(IReminderTable)).ImplementationType!;
        silo.Services.AddSingleton<PostgresGuard>();
        silo.Services.AddSingleton<IReminderTable>(services => new GuardedReminderTable(
            (IReminderTable)ActivatorUtilities.CreateInstance(services, unguarded), services.GetRequiredService<PostgresGuard>()));
        PromptMemoryStreams.Add(silo, OutputQueues);
    }

    /// <summary>State of grains, with failures that may cross a grain call.</summary>
    private static void AddGrainStorage(this ISiloBuilder silo, string name, NpgsqlDataSource database)
    {
        silo.AddAdoNetGrainStorage(GuardedGrainStorage.InnerName(name), options =>
        {
            options.Invariant = ClusterClient.Invariant;
            options.DataSource = database;
            options.DeleteStateOnClear = true;
        });
        silo.Services.AddKeyedSingleton<IGrainStorage>(name, (services, _) => new GuardedGrainStorage(
            services.GetRequiredKeyedService<IGrainStorage>(GuardedGrainStorage.InnerName(name)), services.GetRequiredService<PostgresGuard>()));
    }

    private static void ConfigureEndpoints(this ISiloBuilder silo, ClusterSettings settings) => silo.Configure<EndpointOptions>(options =>
    {
        options.SiloPort = settings.SiloPort;
        options.GatewayPort = settings.GatewayPort;
        if (settings.AdvertisedAddress is { } address)
        {
            options.AdvertisedIPAddress = IPAddress.Parse(address);
        }
    });

    /// <summary>A silo that was killed is declared dead within two seconds, one that hangs within four; docs/operations.md has the reasons.</summary>
    private static void DetectDeadSilos(this ISiloBuilder silo)
    {
        silo.Configure<ClusterMembershipOptions>(options =>
        {
            options.ProbeTimeout = TimeSpan.FromSeconds(1);
            options.MaxProbeTimeout = TimeSpan.FromSeconds(1);
            options.NumMissedProbesLimit = 3;
            options.TableRefreshTimeout = TimeSpan.FromSeconds(5);
            options.IAmAliveTablePublishTimeout = TimeSpan.FromSeconds(2);
        });
    }

    private static void PreferWhereItIsCalled(this ISiloBuilder silo) =>
        silo.Configure<ResourceOptimizedPlacementOptions>(static options => options.LocalSiloPreferenceMargin = LocalMargin);

    private static void ForgetDeadFrontDoors(this ISiloBuilder silo)
    {
        silo.Configure<SiloMessagingOptions>(static options => options.ClientDropTimeout = FrontDoorReturn);
        silo.AddOutgoingGrainCallFilter<DeliveryLimit>();
    }

    /// <summary>
    /// The directory of where grains are survives the silo that has a part of it. With the one that Orleans uses by default every silo that leaves, however
    /// gracefully, takes a share of the grains of all other silos with it, and with a sandbox's grain all that runs there.
    /// </summary>
    private static void KeepActivations(this ISiloBuilder silo)
    {
#pragma warning disable ORLEANSEXP003 // Orleans still calls it experimental. The other ones that keep activations cost a write to a database for each of them.
        silo.AddDistributedGrainDirectory();
#pragma warning restore ORLEANSEXP003

        // It would keep the grains of a silo that died from coming back for half a minute, lest there be two of one. Here two of one do no harm: the database lets
        // one of them write, and a sandbox has one place where it can be.
        silo.Configure<GrainDirectoryOptions>(static options => options.RangeLeaseDuration = TimeSpan.Zero);
    }
}
