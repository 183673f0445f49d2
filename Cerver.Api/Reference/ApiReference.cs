using System.Reflection;
using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Mvc.ApiExplorer;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Net.Http.Headers;
using Microsoft.OpenApi;
using Scalar.AspNetCore;

namespace Cerver.Api.Reference;

/// <summary>
/// The API reference: an OpenAPI document and a page that shows it. The document is made from the routes, by a test, and kept beside the
/// code, so that a change of the API shows in review; what is served is that copy.
/// </summary>
internal static class ApiReference
{
    /// <summary>The name of the document; part of its address.</summary>
    public const string DocumentName = "v1";

    private const string DocumentPath = "/openapi/v1.json";
    private const string PagePath = "/docs";

    /// <summary>The page brings what it needs with it; should it ever ask elsewhere for more, the browser refuses.</summary>
    private const string PagePolicy =
        "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
        + "font-src 'self' data:; worker-src 'self' blob:; frame-ancestors 'none'; base-uri 'self'";

    public static void AddApiReference(this IServiceCollection services)
    {
        services.ConfigureHttpJsonOptions(static options =>
        {
            options.SerializerOptions.PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower;
            options.SerializerOptions.NumberHandling = JsonNumberHandling.Strict;
        });
        services.TryAddEnumerable(ServiceDescriptor.Transient<IApiDescriptionProvider, RouteDescriptions>());
        services.AddOpenApi(DocumentName, static options =>
        {
            options.OpenApiVersion = OpenApiSpecVersion.OpenApi3_1;
            options.AddSchemaTransformer(SchemaShapes.ApplyAsync);
            options.AddOperationTransformer(OperationDetails.ApplyAsync);
            options.AddDocumentTransformer(DocumentFrame.ApplyAsync);
        });
    }

    public static void MapApiReference(this IEndpointRouteBuilder routes)
    {
        var document = ReadDocument();
        var tag = new EntityTagHeaderValue($"\"{Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(document))[..16]}\"");
        routes.MapGet(DocumentPath, () => TypedResults.Bytes(document, "application/json", entityTag: tag)).ExcludeFromDescription();

        var page = routes.MapScalarApiReference(PagePath, static options =>
        {
            options.Title = "Cerver API";
            options.OpenApiRoutePattern = DocumentPath;
            options.DefaultFonts = false;
            options.ProxyUrl = null;
            options.Telemetry = false;
            options.DisableAgent();
            options.DisableMcp();
        });
        page.Add(static builder => SendPolicy(builder));
    }

    /// <summary>The copy of the document that was built in.</summary>
    private static byte[] ReadDocument()
    {
        using var stream = Assembly.GetExecutingAssembly().GetManifestResourceStream("openapi.json")
            ?? throw new InvalidOperationException("The build left out openapi.json.");
        var bytes = new byte[stream.Length];
        stream.ReadExactly(bytes);
        return bytes;
    }

    private static void SendPolicy(EndpointBuilder builder)
    {
        if (builder.RequestDelegate is { } serve)
        {
            builder.RequestDelegate = context =>
            {
                context.Response.Headers.ContentSecurityPolicy = PagePolicy;
                return serve(context);
            };
        }
    }
}
