using Cerver.Api;
using Cerver.Grains.Computes;
using Cerver.Grains.Sessions;
using Cerver.Silo.Standalone;

namespace Cerver.Silo;

/// <summary>Puts the gateway together. It wires and decides nothing.</summary>
internal static class Gateway
{
    private const string DefaultAddress = "http://127.0.0.1:8080";

    /// <summary>The standalone gateway: silo and Api in one process, over SQLite in a data directory.</summary>
    /// <param name="args">Settings as <c>--Section:Name=value</c>; they win over the environment, which wins over appsettings.json.</param>
    /// <exception cref="GatewayStartException">The data directory cannot be used.</exception>
    public static WebApplication Build(string[] args)
    {
        var builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions
        {
            // Nothing is watched for changes, and the current directory is the user's business.
            Args = ["--hostBuilder:reloadConfigOnChange=false", .. args],
            ContentRootPath = AppContext.BaseDirectory,
        });

        // Not in appsettings.json, which wins over ASPNETCORE_URLS.
        if (string.IsNullOrEmpty(builder.Configuration[WebHostDefaults.ServerUrlsKey]))
        {
            builder.WebHost.UseUrls(DefaultAddress);
        }

        builder.Services.Configure<HostOptions>(options => options.ShutdownTimeout = TimeSpan.FromSeconds(20));
        builder.Services.AddSingleton(TimeProvider.System);

        var data = DataDirectory.Open(builder.Configuration);
        builder.Services.AddSingleton(_ => data);
        builder.Configuration.AddInMemoryCollection([new("Cerver:Auth:Tokens:default", ApiToken.Load(builder.Configuration, data))]);

        builder.Services.AddCerverGrains().AddSqlite(data).AddLocalCompute(data);
        builder.UseOrleans(silo => silo.ConfigureStandalone(data));

        // After Orleans: what is to be erased must be out of the way first.
        builder.Services.AddHostedService<LeftoverErasure>();
        builder.Services.AddCerverApi(builder.Configuration);

        var app = builder.Build();

        // What is asked for first is disposed of last: the directory is free when nothing writes to it any more.
        _ = app.Services.GetRequiredService<DataDirectory>();
        app.MapCerverApi();
        return app;
    }
}
