using Cerver.Api.Answers;
using Cerver.Api.Errors;
using Cerver.Api.Files;
using Cerver.Api.Requests;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Mvc.ApiExplorer;
using Microsoft.AspNetCore.Mvc.ModelBinding;

namespace Cerver.Api.Reference;

/// <summary>
/// Tells the framework what our own binding and our own error table do: the body of a route, and every status that it may refuse with.
/// </summary>
internal sealed class RouteDescriptions : IApiDescriptionProvider
{
    /// <summary>After the framework's own.</summary>
    public int Order => 0;

    public void OnProvidersExecuting(ApiDescriptionProviderContext context)
    {
        foreach (var route in context.Results)
        {
            var metadata = route.ActionDescriptor.EndpointMetadata;
            var body = metadata.OfType<BodyMetadata>().FirstOrDefault();
            if (body is not null)
            {
                route.ParameterDescriptions.Add(
                    new ApiParameterDescription { Name = "body", Source = BindingSource.Body, Type = body.Type, IsRequired = body.IsRequired });
                foreach (var mediaType in body.MediaTypes.IsEmpty ? [JsonAnswer.ContentType] : body.MediaTypes)
                {
                    route.SupportedRequestFormats.Add(new ApiRequestFormat { MediaType = mediaType });
                }
            }

            foreach (var status in RefusalsOf(route, body is not null, metadata))
            {
                route.SupportedResponseTypes.Add(new ApiResponseType
                {
                    StatusCode = status,
                    Type = typeof(ErrorBody),
                    ApiResponseFormats = [new ApiResponseFormat { MediaType = JsonAnswer.ContentType }],
                });
            }
        }
    }

    public void OnProvidersExecuted(ApiDescriptionProviderContext context)
    {
        // Nothing is left to do when all providers have run.
    }

    private static IEnumerable<int> RefusalsOf(ApiDescription route, bool hasBody, IList<object> metadata)
    {
        var isOpen = !metadata.OfType<IAuthorizeData>().Any();
        var isWrite = !HttpMethods.IsGet(route.HttpMethod!);
        var path = route.RelativePath ?? string.Empty;
        var isImport = path.EndsWith("/import", StringComparison.Ordinal);
        var isRun = path.Contains("/run", StringComparison.Ordinal) && isWrite;

        // Also a read may need a session that has not ended, to note itself there.
        var isNoted = path.Contains("/secrets/{", StringComparison.Ordinal);
        var isFile = path.Contains("/files", StringComparison.Ordinal);
        var isNamed = metadata.OfType<FilePathMetadata>().Any();
        (int Status, bool Applies)[] table =
        [
            (StatusCodes.Status400BadRequest, hasBody || metadata.OfType<ParameterMetadata>().Any()),
            (StatusCodes.Status401Unauthorized, !isOpen),
            (StatusCodes.Status404NotFound, path.Contains('{', StringComparison.Ordinal)),
            (StatusCodes.Status409Conflict, isWrite || isNoted || isFile),
            (StatusCodes.Status413PayloadTooLarge, hasBody || (isFile && !isWrite)),
            (StatusCodes.Status415UnsupportedMediaType, hasBody && !isFile),
            (StatusCodes.Status416RangeNotSatisfiable, isNamed && !isWrite),
            (StatusCodes.Status422UnprocessableEntity, metadata.OfType<ParameterMetadata>().Any(static declared => declared.Parameters.Contains(IdempotencyKey.Parameter))),
            (StatusCodes.Status429TooManyRequests, (isRun && hasBody) || isImport || (isNamed && (hasBody || !isWrite))),
            (StatusCodes.Status500InternalServerError, true),
            (StatusCodes.Status502BadGateway, isWrite || isFile),
            (StatusCodes.Status503ServiceUnavailable, !isOpen),
            (StatusCodes.Status504GatewayTimeout, !isOpen),
        ];
        return table.Where(static row => row.Applies).Select(static row => row.Status);
    }
}
