using Cerver.Api;
using Cerver.Api.Hosting;
using Cerver.Grains.Computes.Local;
using Cerver.Silo.Clustered;
using Cerver.Silo.Standalone;

namespace Cerver.Silo;

/// <summary>Puts the gateway together. It wires and decides nothing.</summary>
internal static class Gateway
{
    /// <summary>
    /// A gateway over SQLite in a data directory, silo and Api in one process; or, when the settings name PostgreSQL, one silo of a cluster.
    /// </summary>
    /// <param name="args">Settings as <c>--Section:Name=value</c>; they win over the environment, which wins over appsettings.json.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="GatewayStartException">A setting is wrong, or what the gateway keeps its data in cannot be used.</exception>
    public static async Task<WebApplication> BuildAsync(string[] args, CancellationToken cancellationToken)
    {
        var builder = HostFrame.CreateBuilder(args);
        if (ClusterSettings.StorageIn(builder.Configuration) == StorageKind.Postgres)
        {
            return await BuildSiloAsync(builder, cancellationToken);
        }

        return BuildStandalone(builder);
    }

    private static WebApplication BuildStandalone(WebApplicationBuilder builder)
    {
        var data = DataDirectory.Open(builder.Configuration);
        data.CreateDatabases();
        builder.Services.AddSingleton(_ => data);
        builder.Configuration.AddToken(HostFrame.GivenToken(builder.Configuration) ?? ApiToken.Load(data));

        builder.Services.AddCerverGrains().AddSqlite(data);
        if (AllowsLocalCompute(builder.Configuration))
        {
            builder.Services.AddLocalCompute(data);
        }

        builder.UseOrleans(silo => silo.ConfigureStandalone(data));

        // After Orleans: what is to be erased must be out of the way first.
        builder.Services.AddHostedService<LeftoverErasure>().AddHostedService<BacklogIndexing>();
        return Finish(builder, isCluster: false);
    }

    private static async Task<WebApplication> BuildSiloAsync(WebApplicationBuilder builder, CancellationToken cancellationToken)
    {
        var settings = ClusterSettings.ReadFrom(builder.Configuration);
        if (ServesApi(builder.Configuration))
        {
            builder.Configuration.AddGivenToken();
        }

        var database = await ClusterDatabase.OpenAsync(builder.Configuration, settings.MigrateAtStart, cancellationToken);
        builder.Services.AddCerverGrains().AddPostgres(database);

        // Sandboxes are files of this machine, and so is the name by which its silo is known when it is started again.
        var data = AllowsLocalCompute(builder.Configuration) ? DataDirectory.Open(builder.Configuration) : null;
        if (data is not null)
        {
            builder.Services.AddSingleton(_ => data).AddLocalCompute(data);
        }

        builder.UseOrleans(silo => silo.JoinCluster(settings, database, data));
        builder.Services.AddHostedService<LeftoverErasure>().AddHostedService<BacklogIndexing>().AddHostedService<LostHosts>();

        // Stopped before Orleans is, which then has nothing more to wait for.
        builder.Services.AddHostedService<RunDrain>();
        return Finish(builder, isCluster: true);
    }

    private static WebApplication Finish(WebApplicationBuilder builder, bool isCluster)
    {
        var servesApi = ServesApi(builder.Configuration);
        _ = servesApi ? builder.Services.AddCerverApi(builder.Configuration, isCluster) : builder.Services.AddCerverProbes();
        var app = builder.Build();

        // What is asked for first is disposed of last: the directory is free when nothing writes to it any more.
        _ = app.Services.GetService<DataDirectory>();
        return servesApi ? app.MapCerverApi() : app.MapCerverProbes();
    }

    private static bool ServesApi(IConfiguration configuration) => configuration.GetValue($"{ApiOptions.Section}:{nameof(ApiOptions.Enabled)}", defaultValue: true);

    private static bool AllowsLocalCompute(IConfiguration configuration) =>
        configuration.GetValue($"{LocalComputeOptions.Section}:{nameof(LocalComputeOptions.Enabled)}", defaultValue: true);
}
