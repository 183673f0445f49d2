using System.Globalization;
using Cerver.Api.Answers;
using Cerver.Api.Files;
using Cerver.Api.Requests;
using Cerver.Api.Streams;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.OpenApi;

namespace Cerver.Api.Reference;

/// <summary>Completes what the framework says of a route: its parameters, headers, examples and who may call it.</summary>
internal static class OperationDetails
{
    private const string SecurityScheme = DocumentFrame.SecurityScheme;

    private const string Frame = "Server-sent events, each an `id`, an `event` and one line of `data`, which is JSON: ";
    private const string Ping = " A `: ping` comment follows 15 seconds of silence.";

    private const string RunEvents = Frame
        + "`run` `{run_id, session_id}` · `stdout` and `stderr` `{data}`, or "
        + "`{data_base64}` for bytes that are not UTF-8 · `exit` `{exit_code, duration_ms, timed_out, cancelled}`, with `truncated: true` when output was left out · "
        + "`gap` `{from, to}` for output that is gone, with the ids that are missing · `error` `{error, code}`. The stream ends after `exit` or `error`." + Ping;

    private const string SessionEvents = Frame
        + "`entry` `{index, entry}` · `status` `{status, end_reason}` · `run`, `stdout`, `stderr`, `exit` and `error` as in the stream of a run, each with its `run_id`. "
        + "The stream ends after the status `ended`." + Ping;

    private const string AccountEvents = Frame
        + "`ready` `{}` first, which says where the watching begins · `session`, a record as in the list. The id is the number of its last change. The stream does not end." + Ping;

    public static Task ApplyAsync(OpenApiOperation operation, OpenApiOperationTransformerContext context, CancellationToken cancellationToken)
    {
        var metadata = context.Description.ActionDescriptor.EndpointMetadata;
        if (metadata.OfType<IAuthorizeData>().Any())
        {
            operation.Security = [new OpenApiSecurityRequirement { [new OpenApiSecuritySchemeReference(SecurityScheme, context.Document)] = [] }];
        }

        DescribePath(operation);
        if (metadata.OfType<FilePathMetadata>().Any())
        {
            (operation.Parameters ??= []).Add(FilePathParameter());
        }

        foreach (var parameter in metadata.OfType<ParameterMetadata>().SelectMany(static declared => declared.Parameters))
        {
            (operation.Parameters ??= []).Add(Describe(parameter));
        }

        DescribeHeaders(operation);
        AddExamples(operation);
        return Task.CompletedTask;
    }

    private static string EventsOf(string operationId) => operationId switch
    {
        "watchSession" => SessionEvents,
        "watchSessions" => AccountEvents,
        _ => RunEvents,
    };

    private static void DescribePath(OpenApiOperation operation)
    {
        foreach (var parameter in (operation.Parameters ?? []).OfType<OpenApiParameter>())
        {
            (parameter.Description, parameter.Example) = parameter.Name switch
            {
                "sessionId" => ("The session.", Examples.SessionId),
                "name" => ("The secret.", (System.Text.Json.Nodes.JsonNode)Examples.SecretName),
                "vaultId" => ("The vault.", (System.Text.Json.Nodes.JsonNode)Examples.VaultId),
                "computeId" => ("The compute.", (System.Text.Json.Nodes.JsonNode)Examples.ComputeId),
                "runId" => ("The run.", (System.Text.Json.Nodes.JsonNode)Examples.RunId),
                _ => (parameter.Description, parameter.Example),
            };
        }
    }

    private static OpenApiParameter FilePathParameter() => new()
    {
        Name = FilePath.Name,
        In = ParameterLocation.Path,
        Required = true,
        Description = "The file or directory, from the workspace on: percent-encoded names with slashes in between.",
        Schema = new OpenApiSchema { Type = JsonSchemaType.String },
        Example = Examples.FilePath,
    };

    private static OpenApiParameter Describe(RequestParameter parameter) => new()
    {
        Name = parameter.Name,
        In = parameter.IsHeader ? ParameterLocation.Header : ParameterLocation.Query,
        Description = parameter.Description,
        Schema = parameter switch
        {
            NumberParameter number => new OpenApiSchema
            {
                Type = JsonSchemaType.Integer,
                Format = "int64",
                Minimum = number.Min.ToString(CultureInfo.InvariantCulture),
                Maximum = number.Max == long.MaxValue ? null : number.Max.ToString(CultureInfo.InvariantCulture),
            },
            ChoiceParameter choice => new OpenApiSchema { Type = JsonSchemaType.String, Enum = [.. choice.Choices] },
            TimeParameter => new OpenApiSchema { Type = JsonSchemaType.String, Format = "date-time" },
            FlagParameter => new OpenApiSchema { Type = JsonSchemaType.String, Enum = ["1", "0", "true", "false"] },
            _ => new OpenApiSchema { Type = JsonSchemaType.String },
        },
    };

    private static void DescribeHeaders(OpenApiOperation operation)
    {
        var (status, name, description) = operation.OperationId switch
        {
            "createSession" => ("201", "Location", "The address of the session."),
            "importSession" => ("201", "Location", "The address of the session."),
            "runCodeStreaming" => ("200", "Cerver-Run-Id", "The id of the run."),
            _ => (null, null, null),
        };
        if (status is not null && operation.Responses![status] is OpenApiResponse response)
        {
            response.Headers = new Dictionary<string, IOpenApiHeader>(StringComparer.Ordinal)
            {
                [name!] = new OpenApiHeader { Description = description, Schema = new OpenApiSchema { Type = JsonSchemaType.String } },
            };
        }
    }

    private static void AddExamples(OpenApiOperation operation)
    {
        foreach (var body in operation.RequestBody?.Content?.Values ?? [])
        {
            body.Example = Examples.RequestOf(operation.OperationId!);
        }

        foreach (var (status, response) in operation.Responses!)
        {
            foreach (var (type, content) in response.Content ?? ImmutableDictionary<string, OpenApiMediaType>.Empty)
            {
                content.Example = Examples.AnswerOf(operation.OperationId!, status, type);
            }

            if (response is OpenApiResponse own)
            {
                own.Description = own.Content?.ContainsKey(EventStreamResult.ContentType) == true
                    ? EventsOf(operation.OperationId!)
                    : Examples.MeaningOf(status) ?? own.Description;
            }
        }
    }
}
