using System.Collections.Frozen;
using System.Reflection;
using Cerver.Api.Answers;
using Cerver.Api.Computes.Machines;
using Cerver.Api.Mcp;

namespace Cerver.Api.Meta;

/// <summary>What the gateway says of itself, to anybody.</summary>
internal static class MetaEndpoints
{
    /// <summary>The version of the gateway, without what the build adds after it.</summary>
    public static string Version { get; } =
        typeof(MetaEndpoints).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0] ?? "0";

    private static readonly GatewayInfo Info = new()
    {
        Name = "cerver",
        Version = Version,
        Docs = "/docs",
        Openapi = "/openapi/v1.json",
        Endpoints = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["sessions"] = "/v2/sessions",
            ["computes"] = "/v2/computes",
            ["connect"] = MachineChannelEndpoint.Path,
            ["mcp"] = McpRegistration.Path,
            ["secrets"] = "/v2/secrets",
            ["infisical"] = "/v2/account/infisical",
            ["llms"] = "/llms.txt",
            ["skill"] = "/skill.md",
            ["live"] = "/livez",
            ["ready"] = "/readyz",
        }.ToFrozenDictionary(StringComparer.Ordinal),
    };

    private static readonly HealthAnswer Live = new() { Status = "ok", Reason = null };
    private static readonly HealthAnswer Ready = new() { Status = "ready", Reason = null };

    public static void MapMeta(this IEndpointRouteBuilder routes)
    {
        var meta = routes.MapGroup(string.Empty).WithTags("Meta");
        meta.MapOpen("/", GetInfo).WithName("getGateway")
            .WithSummary("Tells what answers here and where things are.")
            .Produces<GatewayInfo>();
        routes.MapProbes();
    }

    public static void MapProbes(this IEndpointRouteBuilder routes)
    {
        var meta = routes.MapGroup(string.Empty).WithTags("Meta");
        meta.MapOpen("/livez", GetLive).WithName("getLiveness")
            .WithSummary("Tells that the process is up, whatever it depends on.")
            .Produces<HealthAnswer>();
        meta.MapOpen("/healthz", GetLive).WithName("getHealth")
            .WithSummary("The same as `/livez`.")
            .Produces<HealthAnswer>();
        meta.MapOpen("/readyz", GetReady).WithName("getReadiness")
            .WithSummary("Tells whether calls can be served: silo and database answer, and the gateway is not about to stop.")
            .Produces<HealthAnswer>()
            .Produces<HealthAnswer>(StatusCodes.Status503ServiceUnavailable);
    }

    /// <summary>A route for anybody. What watches over services often asks with HEAD.</summary>
    public static RouteHandlerBuilder MapOpen(this RouteGroupBuilder routes, string pattern, Delegate handler)
    {
        routes.MapMethods(pattern, [HttpMethods.Head], handler).ExcludeFromDescription();
        return routes.MapGet(pattern, handler);
    }

    private static JsonAnswer<GatewayInfo> GetInfo() => JsonAnswer.Of(Info, AnswerJson.Default.GatewayInfo);

    private static JsonAnswer<HealthAnswer> GetLive() => JsonAnswer.Of(Live, AnswerJson.Default.HealthAnswer);

    private static async Task<JsonAnswer<HealthAnswer>> GetReady(Readiness readiness, CancellationToken cancellationToken)
    {
        var obstacle = await readiness.FindObstacleAsync(cancellationToken);
        return obstacle is null
            ? JsonAnswer.Of(Ready, AnswerJson.Default.HealthAnswer)
            : JsonAnswer.Of(
                new HealthAnswer { Status = "not_ready", Reason = obstacle }, AnswerJson.Default.HealthAnswer, StatusCodes.Status503ServiceUnavailable);
    }
}
