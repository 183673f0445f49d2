using Cerver.Api.Calls;
using Cerver.Api.Mcp;
using Microsoft.Extensions.Hosting;
using Orleans.Hosting;

namespace Cerver.Api.Hosting;

/// <summary>A process that serves the API and keeps nothing: it joins a cluster of silos as a client.</summary>
internal static class FrontDoor
{
    private static readonly ImmutableArray<PathString> GatedPaths = ["/v2", McpRegistration.Path];

    /// <summary>Runs until SIGTERM or SIGINT.</summary>
    /// <returns>The exit code: 0 after a stop that was asked for, 1 when it could not start, 75 when it may the next time.</returns>
    public static Task<int> RunAsync(string[] args) => StartFailures.ReportAsync(async () =>
    {
        await using var app = Build(args);
        await app.StartAsync();
        Console.WriteLine($"Cerver's front door is up at {app.Urls.FirstOrDefault()}");
        await app.WaitForShutdownAsync();
        return 0;
    });

    private static WebApplication Build(string[] args)
    {
        var builder = HostFrame.CreateBuilder(args);
        if (ClusterSettings.StorageIn(builder.Configuration) != StorageKind.Postgres)
        {
            throw new GatewayStartException("A front door joins a cluster: set Cerver:Storage to Postgres. On one machine, 'dotnet Cerver.Silo.dll' is the whole gateway.");
        }

        var settings = ClusterSettings.ReadFrom(builder.Configuration);
        var connection = ClusterSettings.ConnectionIn(builder.Configuration);
        builder.Configuration.AddGivenToken();
        builder.UseOrleansClient(client => client.JoinCluster(settings, connection));

        // The probes must answer while there is no silo yet.
        builder.Services.Configure<HostOptions>(options => options.ServicesStartConcurrently = true);
        builder.Services.AddCerverApi(builder.Configuration, isCluster: true);
        builder.Services.AddSingleton<ClusterGate>();
        var app = builder.Build();
        app.MapCerverApi();

        // Last, so that only who may call can wait here, and is told in the form of all refusals.
        var gate = app.Services.GetRequiredService<ClusterGate>();
        app.UseWhen(static context => GatedPaths.Any(path => context.Request.Path.StartsWithSegments(path, StringComparison.Ordinal)), routes => routes.Use(gate.PassAsync));
        return app;
    }
}
