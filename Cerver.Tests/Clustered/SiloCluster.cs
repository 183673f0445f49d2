using System.Collections.Concurrent;
using Cerver.Grains.Computes;
using Cerver.Grains.Computes.Hosts;
using Cerver.Grains.Storage.Postgres;
using Cerver.Runs;
using Cerver.Sessions;
using Cerver.Silo;
using Cerver.Silo.Clustered;
using Cerver.Tests.Computes;
using Cerver.Tests.Storage;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Orleans.TestingHost;

namespace Cerver.Tests.Clustered;

/// <summary>Silos over one PostgreSQL database, each with sandboxes of its own that tests steer.</summary>
internal sealed class SiloCluster : IAsyncDisposable
{
    private readonly InProcessTestCluster _cluster;
    private readonly List<InProcessSiloHandle> _again = [];
    private readonly ConcurrentDictionary<string, ScriptedProvider> _providers = new(StringComparer.Ordinal);

    private SiloCluster(PostgresTestDatabase database, short silos, Action<ISiloBuilder>? configure)
    {
        var builder = new InProcessTestClusterBuilder(silos);
        builder.ConfigureSilo((options, silo) =>
        {
            // The host is named after the silo, and is the same when the silo is started again; its sandboxes are not.
            var provider = _providers[ClusterHosts.NameOf(options.SiloName)] = new ScriptedProvider { IsOnHost = true };
            silo.Services.AddSingleton(TimeProvider.System);
            silo.Services.AddSingleton<IComputeProvider>(provider);

            // Of its own, as a process has one: it goes with the silo.
            var source = PostgresDatabase.Create(database.ConnectionString);
            silo.Services.AddCerverGrains().AddPostgres(source);
            silo.Services.AddSingleton<ISandboxHosts, ClusterHosts>();
            silo.UseDatabase(source);
            silo.Services.AddHostedService<LostHosts>().AddHostedService<RunDrain>();
            silo.ConfigureLogging(logging => logging.SetMinimumLevel(LogLevel.Critical));
            configure?.Invoke(silo);
        });
        builder.ConfigureClient(client => client.AddMemoryStreams(RunStreams.Provider));

        // What grains keep is found by it, also by the silos of a later start.
        builder.Options.ServiceId = "cerver";

        // That of a real cluster, and not one in the memory of the test, which loses nothing.
#pragma warning disable ORLEANSEXP003 // As in a cluster.
        builder.Options.UseDistributedGrainDirectory = true;
#pragma warning restore ORLEANSEXP003
        _cluster = builder.Build();
    }

    public IClusterClient Client => _cluster.Client;

    public IReadOnlyList<InProcessSiloHandle> Silos => _cluster.Silos;

    public static async Task<SiloCluster> StartAsync(PostgresTestDatabase database, short silos, Action<ISiloBuilder>? configure = null)
    {
        var cluster = new SiloCluster(database, silos, configure);
        await cluster._cluster.DeployAsync();
        return cluster;
    }

    public ISessionGrain Session(string accountId, string sessionId) => Client.GetGrain<ISessionGrain>(SessionKey.For(accountId, sessionId));

    /// <summary>The sandboxes of a host, by the host's name.</summary>
    public ScriptedProvider Provider(string host) => _providers[host];

    /// <summary>The silo that has a sandbox.</summary>
    public InProcessSiloHandle SiloOf(string sandboxId) => Silos.Single(silo => HostOf(silo) == Ids.HostOfSandbox(sandboxId));

    public static string HostOf(InProcessSiloHandle silo) => ClusterHosts.NameOf(silo.Name);

    /// <summary>A grain goes, and comes back with what is stored of it.</summary>
    public Task DeactivateAsync(GrainId grainId) => _cluster.DeactivateAsync(grainId);

    /// <summary>A silo dies without a word.</summary>
    public async Task KillAsync(InProcessSiloHandle silo)
    {
        await _cluster.KillSiloAsync(silo);
        await _cluster.WaitForLivenessToStabilizeAsync(didKill: true);
    }

    /// <summary>A silo is asked to stop, and is gone.</summary>
    public async Task StopAsync(InProcessSiloHandle silo)
    {
        await _cluster.StopSiloAsync(silo);
        await _cluster.WaitForLivenessToStabilizeAsync(didKill: false);
    }

    /// <summary>A silo that died is started again, with the same name.</summary>
    public async Task<InProcessSiloHandle> StartAgainAsync(InProcessSiloHandle silo)
    {
        var again = await _cluster.StartSiloAsync(silo.InstanceNumber, _cluster.Options);
        _again.Add(again);
        await _cluster.WaitForLivenessToStabilizeAsync(didKill: false);
        return again;
    }

    /// <summary>One more silo.</summary>
    public async Task<InProcessSiloHandle> JoinAsync()
    {
        var joined = await _cluster.StartAdditionalSiloAsync();
        await _cluster.WaitForLivenessToStabilizeAsync(didKill: false);
        return joined;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var silo in _again)
        {
            await silo.DisposeAsync();
        }

        await _cluster.DisposeAsync();
    }
}
