namespace Cerver.Api.Reference;

internal static class ApiReference
{
    public static void AddApiReference(this IServiceCollection services) => _ = services;
    public static void MapApiReference(this IEndpointRouteBuilder routes) => _ = routes;
}
