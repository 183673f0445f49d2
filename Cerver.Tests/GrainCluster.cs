using System.Collections.Immutable;
using System.Data.Common;
using System.Text;
using Cerver.Computes;
using Cerver.Grains.Computes;
using Cerver.Grains.Computes.Hosts;
using Cerver.Grains.Storage.Sqlite;
using Cerver.Runs;
using Cerver.Sessions;
using Cerver.Silo;
using Cerver.Silo.Clustered;
using Cerver.Silo.Standalone;
using Cerver.Tests.Computes;
using Cerver.Tests.Storage;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Orleans.TestingHost;

namespace Cerver.Tests;

/// <summary>A silo over a real database of its own, with a compute provider that tests steer.</summary>
public class GrainCluster : IAsyncLifetime
{
    private readonly string _path = Directory.CreateTempSubdirectory("cerver-grains-").FullName;
    private DataDirectory? _data;
    private PostgresTestDatabase? _postgres;
    private InProcessTestCluster? _cluster;

    /// <summary>Where sessions and runs are kept.</summary>
    internal TestedDatabase Database { get; init; }

    internal ScriptedProvider Provider { get; } = new();

    /// <summary>What a test wants of the silo beside the usual.</summary>
    internal Action<ISiloBuilder>? Configure { get; init; }

    /// <summary>What a test wants of the client beside the usual.</summary>
    internal Action<IClientBuilder>? ConfigureClient { get; init; }

    /// <summary>The clock of the silo.</summary>
    internal TimeProvider Time { get; init; } = TimeProvider.System;

    internal IGrainFactory Grains => _cluster!.Client;

    internal IClusterClient Client => _cluster!.Client;

    internal IRecallGrain Recall => Grains.GetGrain<IRecallGrain>(0);

    internal IServiceProvider Services => _cluster!.Silos[0].ServiceProvider;

    public async Task InitializeAsync()
    {
        _data = DataDirectory.Open(new ConfigurationBuilder().AddInMemoryCollection([new("CERVER_DATA", _path)]).Build());
        _postgres = Database == TestedDatabase.Postgres ? await PostgresTestDatabase.CreateAsync() : null;
        var builder = new InProcessTestClusterBuilder(initialSilosCount: 1);
        builder.ConfigureSilo((_, silo) =>
        {
            silo.Services.AddSingleton(Time);
            silo.Services.AddSingleton<IComputeProvider>(Provider);
            silo.Services.AddCerverGrains();
            if (_postgres is null)
            {
                silo.Services.AddSqlite(_data);
                silo.UseDataDirectory(_data);
            }
            else
            {
                silo.Services.AddPostgres(_postgres.Source).AddSingleton<ISandboxHosts, SingleHost>();
                silo.UseDatabase(_postgres.Source);
                silo.AddStartupTask(static (services, cancellationToken) => SiloStart.SettleAsync(
                    services, isGone: static _ => true, sweepBefore: DateTimeOffset.MaxValue, cancellationToken));
            }

            silo.ConfigureLogging(logging => logging.SetMinimumLevel(LogLevel.Warning));
            Configure?.Invoke(silo);
        });
        builder.ConfigureClient(client =>
        {
            client.AddMemoryStreams(RunStreams.Provider);
            ConfigureClient?.Invoke(client);
        });
        _cluster = builder.Build();
        await _cluster.DeployAsync();
    }

    public async Task DisposeAsync()
    {
        await _cluster!.DisposeAsync();
        if (_postgres is not null)
        {
            await _postgres.DisposeAsync();
        }

        _data!.Dispose();
        Directory.Delete(_path, recursive: true);
    }

    /// <summary>A grain goes, and comes back with what is stored of it.</summary>
    internal Task DeactivateAsync(GrainId grainId) => _cluster!.DeactivateAsync(grainId);

    /// <summary>All grains that nobody calls go, and come back with what is stored of them.</summary>
    internal Task DeactivateAllAsync() => Grains.GetGrain<IManagementGrain>(0).ForceActivationCollection(TimeSpan.Zero);

    /// <summary>Stops the silo for good; the client stays.</summary>
    internal Task StopSiloAsync() => _cluster!.StopSiloAsync(_cluster.Silos[0]);

    /// <summary>Changes the database behind the gateway's back.</summary>
    internal async Task ExecuteAsync(string statement)
    {
        await using DbConnection connection = _postgres is null ? new SqliteDatabase(_data!.DatabasePath).Open() : await _postgres.Source.OpenConnectionAsync();
        await using var command = connection.CreateCommand();
        command.CommandText = statement;
        await command.ExecuteNonQueryAsync();
    }

    /// <summary>Where a text is kept: in which files of the data directory, in which tables of PostgreSQL.</summary>
    internal async Task<IReadOnlyList<string>> FindInStorageAsync(string text)
    {
        var found = new List<string>();
        foreach (var file in Directory.EnumerateFiles(_path, "*", SearchOption.AllDirectories).Where(static file => !file.EndsWith("lock", StringComparison.Ordinal)))
        {
            if ((await File.ReadAllTextAsync(file, Encoding.Latin1)).Contains(text, StringComparison.Ordinal))
            {
                found.Add(file);
            }
        }

        if (_postgres is not null)
        {
            var tables = (string)(await _postgres.ScalarAsync("select string_agg(quote_ident(table_name), ' ') from information_schema.tables where table_schema = 'public' and table_type = 'BASE TABLE'"))!;
            foreach (var table in tables.Split(' '))
            {
                // Bytes read as hexadecimal digits.
                var hex = Convert.ToHexStringLower(Encoding.UTF8.GetBytes(text));
                if (await _postgres.ScalarAsync($"select 1 from {table} as kept where kept::text like '%{text}%' or kept::text like '%{hex}%' limit 1") is not null)
                {
                    found.Add(table);
                }
            }
        }

        return found;
    }

    /// <summary>An account of the test's own.</summary>
    internal static string NewAccount() => $"account-{Guid.NewGuid():n}";

    /// <summary>A session that does not exist yet.</summary>
    internal (ISessionGrain Grain, string AccountId, string SessionId) NewSession(string? accountId = null)
    {
        accountId ??= NewAccount();
        var sessionId = Ids.NewSession(TimeProvider.System);
        return (Grains.GetGrain<ISessionGrain>(SessionKey.For(accountId, sessionId)), accountId, sessionId);
    }

    /// <summary>A request for a session that needs nothing special.</summary>
    internal static CreateSession Request(ComputeChoice? compute = null, string? metadata = null, string? requirements = null, string? name = "a session") => new(
        name, SessionType: null, Task: null, Workload: null, Harness: null, compute ?? ComputeChoice.Any, AllowedProviders: [], requirements, metadata,
        ParentSessionId: null);

    /// <summary>A request for a run.</summary>
    internal static StartRun Run(string code = "true", string? runId = null) => new(
        runId ?? Ids.NewRun(TimeProvider.System), code, Runtime: null, Timeout: null, ImmutableDictionary<string, string>.Empty);

    /// <summary>An entry.</summary>
    internal static TranscriptEntry Text(string content) => new(At: null, EntryRole.User, EntryKinds.Text, content);
}

/// <summary>The tests that share one silo.</summary>
[CollectionDefinition(nameof(GrainCluster))]
public sealed class GrainClusterCollection : ICollectionFixture<GrainCluster>;

/// <inheritdoc/>
public sealed class PostgresGrainCluster : GrainCluster
{
    public PostgresGrainCluster() => Database = TestedDatabase.Postgres;
}

/// <summary>The tests that share one silo over PostgreSQL.</summary>
[CollectionDefinition(nameof(PostgresGrainCluster))]
public sealed class PostgresGrainClusterCollection : ICollectionFixture<PostgresGrainCluster>;
