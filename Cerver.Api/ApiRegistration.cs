using Cerver.Api.Accounts;
using Cerver.Api.Calls;
using Cerver.Api.Computes;
using Cerver.Api.Computes.Machines;
using Cerver.Api.Errors;
using Cerver.Api.Files;
using Cerver.Api.Hosting;
using Cerver.Api.Mcp;
using Cerver.Api.Meta;
using Cerver.Api.Pages;
using Cerver.Api.Reference;
using Cerver.Api.Requests;
using Cerver.Api.Runs;
using Cerver.Api.Search;
using Cerver.Api.Secrets;
using Cerver.Api.Secrets.Vaults;
using Cerver.Api.Sessions;
using Cerver.Api.Sessions.Importing;
using Cerver.Api.Sessions.Streams;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace Cerver.Api;

/// <summary>Puts the front door into a host. The host brings the <see cref="IClusterClient"/>.</summary>
public static class ApiRegistration
{
    /// <summary>
    /// How much of a body that is refused for its size is still taken in and dropped. A client that is cut off while it sends often never
    /// sees the refusal.
    /// </summary>
    internal const long DroppedBodyBytes = 64L * 1_024 * 1_024;

    /// <summary>
    /// The longest method and address. A search of 1,000 characters may be 9,000 bytes in an address, and one that is too long is to be refused with a sentence.
    /// </summary>
    private const int MaxRequestLineBytes = 64 * 1_024;

    /// <summary>Registers what <see cref="MapCerverProbes"/> needs.</summary>
    public static IServiceCollection AddCerverProbes(this IServiceCollection services)
    {
        services.AddOptions<KestrelServerOptions>().Configure(static kestrel => kestrel.AddServerHeader = false);
        return services.AddSingleton<Readiness>();
    }

    /// <summary>Registers everything that <see cref="MapCerverApi"/> needs.</summary>
    /// <param name="services">The host's services.</param>
    /// <param name="configuration">
    /// Holds the sections <see cref="ApiOptions.Section"/>, <see cref="AuthOptions.Section"/> and <see cref="McpOptions.Section"/>, which are checked when the
    /// host starts.
    /// </param>
    /// <param name="isCluster">
    /// Whether the grains are, or may be, in other processes, which come and go. Writes that their callers did not name get a name then, so
    /// that they can be made again when a silo dies.
    /// </param>
    public static IServiceCollection AddCerverApi(this IServiceCollection services, IConfiguration configuration, bool isCluster = false)
    {
        services.AddOptionsWithValidateOnStart<ApiOptions, ApiOptionsValidator>().Bind(configuration.GetSection(ApiOptions.Section));
        services.AddOptionsWithValidateOnStart<AuthOptions, AuthOptionsValidator>().Bind(configuration.GetSection(AuthOptions.Section));
        services.AddCerverProbes();
        services.AddOptions<KestrelServerOptions>().Configure<IOptions<ApiOptions>>(static (kestrel, api) =>
        {
            kestrel.Limits.MaxRequestBodySize = api.Value.MaxBodyBytes + DroppedBodyBytes;
            kestrel.Limits.MaxRequestLineSize = MaxRequestLineBytes;
        });

        services.TryAddSingleton(TimeProvider.System);
        services.AddSingleton<BearerTokens>();

        // What AddAuthentication adds beyond this is a key ring in the home directory, for cookies that there are none of.
        services.AddAuthenticationCore(static options => options.DefaultScheme = BearerAuthentication.Scheme);
        services.AddWebEncoders();
        new AuthenticationBuilder(services)
            .AddScheme<AuthenticationSchemeOptions, BearerAuthentication>(BearerAuthentication.Scheme, configureOptions: null);
        services.AddAuthorization();
        services.AddExceptionHandler<RefusalHandler>();

        services.AddSingleton(provider => ActivatorUtilities.CreateInstance<GrainCalls>(
            provider, isCluster, provider.GetRequiredService<RequestDrain>().WaitingEnds));
        services.AddSingleton<RequestDrain>();
        services.AddSingleton<IRunSource, ClusterRunSource>();
        services.AddSingleton<RunHub>();
        services.AddSingleton<RunFeed>();
        services.AddSingleton<SessionFeed>();
        services.AddSingleton<AgentFeed>();
        services.AddSingleton<AccountFeed>();
        services.AddCerverMcp(configuration);
        services.AddSingleton<AgentPages>();
        services.AddSingleton<ImportGate>();
        services.AddSingleton<FileGate>();
        services.AddSingleton<SessionImporter>();
        services.AddSingleton<MachineSockets>();
        services.AddApiReference();
        return services;
    }

    /// <summary>Maps only what tells whether the process lives and can serve. Call it once, before the host starts.</summary>
    public static WebApplication MapCerverProbes(this WebApplication app)
    {
        app.UseRouting();
        app.MapProbes();
        return app;
    }

    /// <summary>Maps every route of the contract. Call it once, before the host starts.</summary>
    public static WebApplication MapCerverApi(this WebApplication app)
    {
        app.Use(app.Services.GetRequiredService<RequestDrain>().PassAsync);
        app.UseCrossOrigin();
        app.UseExceptionHandler(new ExceptionHandlerOptions
        {
            // Never reached: the handler in the container answers everything. The framework wants one all the same.
            ExceptionHandler = static context => Refusals.WriteAsync(context, Refusals.OfStatus(context.Response.StatusCode)),
        });
        app.UseStatusCodePages(static context =>
            Refusals.WriteAsync(context.HttpContext, Refusals.OfStatus(context.HttpContext.Response.StatusCode)));
        app.Use(DotSegments.PassAsync);
        app.UseMcpGuard();

        // Machines are asked by frames of the contract whether they are there.
        app.UseWebSockets(new WebSocketOptions { KeepAliveInterval = Timeout.InfiniteTimeSpan });
        app.UseRouting();
        app.UseAuthentication();
        app.UseAuthorization();

        app.MapMeta();
        app.MapPages();
        app.MapApiReference();
        app.MapSessions();
        app.MapImports();
        app.MapTranscripts();
        app.MapSearch();
        app.MapSessionStreams();
        app.MapSessionCompute();
        app.MapRuns();
        app.MapFiles();
        app.MapComputes();
        app.MapMachines();
        app.MapMachineChannel();
        app.MapCerverMcp();
        app.MapSecrets();
        app.MapInfisicalVaults();
        return app;
    }
}
