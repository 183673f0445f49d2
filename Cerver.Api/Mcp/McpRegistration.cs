using Cerver.Api.Computes;
using Cerver.Api.Meta;
using Cerver.Api.Runs;
using Cerver.Api.Sessions;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using ModelContextProtocol.AspNetCore;
using ModelContextProtocol.Server;

namespace Cerver.Api.Mcp;

/// <summary>What agents reach over MCP: the same sessions, runs and computes as over <c>/v2</c>, as tools.</summary>
internal static class McpRegistration
{
    /// <summary>Where MCP is spoken.</summary>
    public const string Path = "/mcp";

    private const string Instructions =
        "Cerver gives agents a memory and a computer. A session holds a transcript that stays, and may have a sandbox in which code runs. All agents of the account "
        + "see the same sessions: look with cerver_session_list or cerver_session_search before you begin, keep what others should know with cerver_session_append, and "
        + "run code with cerver_run in a session that has compute. Answers are bounded; one that ends early says with which cursor to go on.";

    /// <summary>Registers everything that <see cref="MapCerverMcp"/> needs beside the rest of the Api.</summary>
    public static IServiceCollection AddCerverMcp(this IServiceCollection services, IConfiguration configuration)
    {
        services.AddOptionsWithValidateOnStart<McpOptions, McpOptionsValidator>().Bind(configuration.GetSection(McpOptions.Section));
        services.AddSingleton<HostGuard>();
        services.AddMcpServer(static options =>
        {
            options.ServerInfo = new() { Name = "cerver", Title = "Cerver", Version = MetaEndpoints.Version };
            options.ServerInstructions = Instructions;
        }).WithHttpTransport(static options => options.SessionMode = HttpServerSessionMode.Stateless);

        services.AddTools<SessionTools>()
            .Add<ListArguments>("cerver_session_list", static tools => tools.ListAsync)
            .Add<CreateSessionBody>("cerver_session_create", static tools => tools.CreateAsync)
            .Add<ResumeBody>("cerver_session_resume", static tools => tools.ResumeAsync)
            .Add<EndArguments>("cerver_session_end", static tools => tools.EndAsync);
        services.AddTools<TranscriptTools>()
            .Add<PeekArguments>("cerver_session_peek", static tools => tools.PeekAsync)
            .Add<ExportArguments>("cerver_session_export", static tools => tools.ExportAsync)
            .Add<AppendBody>("cerver_session_append", static tools => tools.AppendAsync)
            .Add<InputBody>("cerver_session_input", static tools => tools.InputAsync);
        services.AddTools<SearchTools>()
            .Add<SearchArguments>("cerver_session_search", static tools => tools.SearchAsync);
        services.AddTools<RunTools>()
            .Add<RunBody>("cerver_run", static tools => tools.RunAsync);
        services.AddTools<ComputeTools>()
            .Add<NoArguments>("cerver_compute_list", static tools => tools.ListAsync);
        services.AddTools<SecretTools>()
            .Add<SecretArguments>("secret_fetch", static tools => tools.FetchAsync);
        return services;
    }

    /// <summary>Keeps strangers away from MCP and bounds what it takes in. Before the caller is looked at.</summary>
    public static void UseMcpGuard(this WebApplication app)
    {
        var guard = app.Services.GetRequiredService<HostGuard>();
        var maxBytes = app.Services.GetRequiredService<IOptions<ApiOptions>>().Value.MaxBodyBytes;
        app.UseWhen(static context => context.Request.Path.StartsWithSegments(Path, StringComparison.Ordinal), routes => routes.Use((context, next) =>
        {
            // The other routes count the bytes themselves, and drop some more before they refuse.
            if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } limit)
            {
                limit.MaxRequestBodySize = maxBytes;
            }

            return guard.PassAsync(context, next);
        }));
    }

    /// <summary>Maps the route.</summary>
    public static void MapCerverMcp(this IEndpointRouteBuilder routes) => routes.MapMcp(Path).RequireAuthorization().ExcludeFromDescription();

    private static ToolsBuilder<TTools> AddTools<TTools>(this IServiceCollection services)
        where TTools : class
    {
        services.AddSingleton<TTools>();
        return new(services);
    }

    /// <summary>Adds the tools that are methods of one class.</summary>
    private sealed class ToolsBuilder<TTools>(IServiceCollection services)
        where TTools : class
    {
        public ToolsBuilder<TTools> Add<TArguments>(string name, Func<TTools, ToolHandler<TArguments>> handler)
            where TArguments : class
        {
            services.AddSingleton<McpServerTool>(provider => new GatewayTool<TArguments>(
                ToolCatalog.Find(name), handler(provider.GetRequiredService<TTools>()), provider.GetRequiredService<ILoggerFactory>()));
            return this;
        }
    }
}
