using Cerver.Grains.Computes;
using Cerver.Grains.Computes.Hosts;
using Cerver.Grains.Computes.Local;
using Cerver.Grains.Computes.Machines;
using Cerver.Grains.Operations;
using Cerver.Grains.Operations.Postgres;
using Cerver.Grains.Operations.Sqlite;
using Cerver.Grains.Runs;
using Cerver.Grains.Runs.Postgres;
using Cerver.Grains.Runs.Sqlite;
using Cerver.Grains.Search;
using Cerver.Grains.Search.Postgres;
using Cerver.Grains.Search.Sqlite;
using Cerver.Grains.Secrets.Audit;
using Cerver.Grains.Secrets.Audit.Postgres;
using Cerver.Grains.Secrets.Audit.Sqlite;
using Cerver.Grains.Sessions;
using Cerver.Grains.Sessions.Postgres;
using Cerver.Grains.Sessions.Sqlite;
using Cerver.Grains.Storage;
using Cerver.Grains.Storage.Postgres;
using Cerver.Grains.Storage.Sqlite;
using Cerver.Grains.Upkeep;
using Cerver.Silo.Keys;
using Cerver.Silo.Standalone;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Cerver.Silo;

/// <summary>Registers what the grains are made of.</summary>
internal static class GrainRegistration
{
    /// <summary>The rules and limits of sessions, and what is done every hour.</summary>
    public static IServiceCollection AddCerverGrains(this IServiceCollection services)
    {
        services.AddOptionsWithValidateOnStart<SessionLimits>().BindConfiguration(SessionLimits.Section);
        services.AddSingleton<IValidateOptions<SessionLimits>, SessionLimitsValidator>();
        services.AddOptionsWithValidateOnStart<SandboxLifetimeOptions>().BindConfiguration(SandboxLifetimeOptions.Section);
        services.AddSingleton<IValidateOptions<SandboxLifetimeOptions>, SandboxLifetimeOptionsValidator>();
        services.AddOptions<SearchOptions>().BindConfiguration(SearchOptions.Section);
        services.AddPlacementDirector<HostPlacement, HostPlacementDirector>();
        return services.AddSecrets().AddSingleton<SessionComputes>().AddSingleton<Searcher>().AddSingleton<SearchBacklog>().AddSingleton<IUpkeep>(static services => services.GetRequiredService<SearchBacklog>()).AddSingleton<SessionRecovery>()
            .AddSingleton<SandboxSweep>().AddSingleton<IUpkeep, HostSweeps>()
            .AddSingleton<HostProviders>().AddSingleton<ComputeDirectory>().AddSingleton<MachineDirectory>()
            .AddSingleton<MachineDrain>().AddSingleton<ILifecycleParticipant<ISiloLifecycle>>(static services => services.GetRequiredService<MachineDrain>()).AddSingleton<SandboxDrain>();
    }

    /// <summary>Sessions and runs in one SQLite file.</summary>
    public static IServiceCollection AddSqlite(this IServiceCollection services, DataDirectory data) => services
        .AddSingleton(new SqliteDatabase(data.DatabasePath))
        .AddCredentialProtection(data)
        .AddSingleton<StorageFailure>()
        .AddSingleton<SqliteReaders>()
        .AddSingleton<SqliteCommitPipeline>()
        .AddSingleton<SqlitePurge>()
        .AddSingleton<ISessionStore, SqliteSessionStore>()
        .AddSingleton<SqliteSearchIndex>()
        .AddSingleton<ISearchStore, SqliteSearchStore>()
        .AddSingleton<ISearchBacklogStore, SqliteSearchBacklog>()
        .AddSingleton<IRunStore, SqliteRunStore>()
        .AddSingleton<IOperationStore, SqliteOperationStore>()
        .AddSingleton<ISecretAuditStore, SqliteSecretAuditStore>()
        .AddSingleton<IUpkeep, OperationExpiry>()
        .AddSingleton<IUpkeep, PurgeUpkeep>();

    /// <summary>Sessions and runs in a PostgreSQL database, whose schema is up to date.</summary>
    public static IServiceCollection AddPostgres(this IServiceCollection services, NpgsqlDataSource source) => services
        .AddSingleton(_ => source)
        .AddCredentialProtection()
        .AddSingleton<PostgresConnections>()
        .AddSingleton<PostgresCommitPipeline>()
        .AddSingleton<PostgresPurge>()
        .AddSingleton<ISessionStore, PostgresSessionStore>()
        .AddSingleton<ISearchStore, PostgresSearchStore>()
        .AddSingleton<ISearchBacklogStore, PostgresSearchBacklog>()
        .AddSingleton<IRunStore, PostgresRunStore>()
        .AddSingleton<IOperationStore, PostgresOperationStore>()
        .AddSingleton<ISecretAuditStore, PostgresSecretAuditStore>()
        .AddSingleton<IUpkeep, OperationExpiry>()
        .AddSingleton<IUpkeep, PurgeUpkeep>();

    /// <summary>
    /// Sandboxes on this machine. Whether it can give any is found out while the silo starts, see <see cref="LocalComputeStart"/>.
    /// </summary>
    public static IServiceCollection AddLocalCompute(this IServiceCollection services, DataDirectory data)
    {
        services.AddOptionsWithValidateOnStart<LocalComputeOptions>().BindConfiguration(LocalComputeOptions.Section);
        services.AddSingleton<IValidateOptions<LocalComputeOptions>, LocalComputeOptionsValidator>();
        services.AddSingleton(provider => ActivatorUtilities.CreateInstance<LocalComputeProvider>(provider, data.Path));
        services.AddSingleton<IComputeProvider>(provider => provider.GetRequiredService<LocalComputeProvider>());
        services.AddSingleton<LocalComputeStart>();
        return services.AddHostedService(provider => provider.GetRequiredService<LocalComputeStart>());
    }
}
