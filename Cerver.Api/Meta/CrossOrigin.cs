namespace Cerver.Api.Meta;

/// <summary>
/// Lets pages of any origin call. The token stands in a header that a page must know to send, and no cookie does anything here, so there is
/// nothing to ride on.
/// </summary>
internal static class CrossOrigin
{
    private const string AllowedMethods = "GET, POST, PATCH, PUT, DELETE, HEAD, OPTIONS";
    private const string AllowedHeaders = "authorization, content-type, idempotency-key, last-event-id, mcp-protocol-version, mcp-method, mcp-name";
    private const string ExposedHeaders = "Cerver-Run-Id, Idempotency-Replayed, Location, Retry-After";
    private const string MaxAgeSeconds = "7200";

    /// <summary>Answers every OPTIONS call, and marks the answers to pages.</summary>
    public static void UseCrossOrigin(this IApplicationBuilder app) => app.Use(static (context, next) =>
    {
        if (HttpMethods.IsOptions(context.Request.Method))
        {
            Allow(context.Response.Headers);
            context.Response.Headers.AccessControlAllowMethods = AllowedMethods;
            context.Response.Headers.AccessControlAllowHeaders = AllowedHeaders;
            context.Response.Headers.AccessControlMaxAge = MaxAgeSeconds;
            context.Response.StatusCode = StatusCodes.Status204NoContent;
            return Task.CompletedTask;
        }

        if (context.Request.Headers.Origin.Count > 0)
        {
            // A refusal clears the headers that were set before it; those that are set at the start stay.
            context.Response.OnStarting(
                static state =>
                {
                    Allow(((HttpResponse)state).Headers);
                    return Task.CompletedTask;
                },
                context.Response);
        }

        return next(context);
    });

    private static void Allow(IHeaderDictionary headers)
    {
        headers.AccessControlAllowOrigin = "*";
        headers.AccessControlExposeHeaders = ExposedHeaders;
    }
}
