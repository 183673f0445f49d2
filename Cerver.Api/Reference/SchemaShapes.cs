using System.ComponentModel.DataAnnotations;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Cerver.Api.Answers;
using Cerver.Api.Requests;
using Cerver.Api.Runs;
using Cerver.Api.Sessions;
using Cerver.Computes;
using Cerver.Sessions;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.OpenApi;

namespace Cerver.Api.Reference;

/// <summary>Says what our own converters read and write, which the framework cannot see.</summary>
internal static class SchemaShapes
{
    public static Task ApplyAsync(OpenApiSchema schema, OpenApiSchemaTransformerContext context, CancellationToken cancellationToken)
    {
        schema.Description = schema.Description?.ReplaceLineEndings(" ");
        if (context.JsonPropertyInfo is { } property)
        {
            ApplyAnnotations(schema, property);
        }

        if (context.JsonPropertyInfo?.AttributeProvider?.GetCustomAttributes(typeof(JsonConverterAttribute), inherit: false) is [JsonConverterAttribute converter])
        {
            ApplyConverter(schema, converter.ConverterType!);
        }
        else if (context.JsonPropertyInfo is null)
        {
            ApplyType(schema, context.JsonTypeInfo);
        }

        return Task.CompletedTask;
    }

    /// <summary>What our own readers enforce and say in an attribute.</summary>
    private static void ApplyAnnotations(OpenApiSchema schema, JsonPropertyInfo property)
    {
        if (IsRequired(property) && schema.Type is { } type)
        {
            schema.Type = type & ~JsonSchemaType.Null;
        }

        if (property.AttributeProvider?.GetCustomAttributes(typeof(AllowedValuesAttribute), inherit: false) is [AllowedValuesAttribute allowed])
        {
            schema.Enum = [.. allowed.Values.Select(static value => (JsonNode)value!.ToString()!)];
        }
    }

    /// <summary>A field that a request must have, or that an answer always has.</summary>
    private static bool IsRequired(JsonPropertyInfo property) =>
        property.IsRequired || property.Set is null || property.AttributeProvider?.IsDefined(typeof(RequiredAttribute), inherit: false) == true;

    private static void ApplyType(OpenApiSchema schema, JsonTypeInfo info)
    {
        var type = info.Type;
        if (info.Kind == JsonTypeInfoKind.Object)
        {
            schema.Required = info.Properties.Where(IsRequired).Select(static property => property.Name).ToHashSet(StringComparer.Ordinal);
        }

        if (type == typeof(SessionRecord))
        {
            schema.Type = JsonSchemaType.Object;
            schema.Description = "All there is to know of a session but its transcript. Names of two words stand there in camelCase and in snake_case.";
            schema.Properties = SessionMembers();
            schema.Required = schema.Properties.Keys.ToHashSet(StringComparer.Ordinal);
        }
        else if (type == typeof(SessionWithTranscript))
        {
            var members = SessionMembers();
            members["transcript"] = schema.Properties!["transcript"];
            schema.Description = "A session's record and the entries of its transcript that were asked for.";
            schema.Properties = members;
            schema.Required = members.Keys.ToHashSet(StringComparer.Ordinal);
        }
        else if (type == typeof(ComputeChoice))
        {
            ApplyComputeChoice(schema);
        }
    }

    private static void ApplyConverter(OpenApiSchema schema, Type converter)
    {
        if (converter == typeof(JsonObjectConverter) || converter == typeof(RawJsonConverter))
        {
            schema.Type = JsonSchemaType.Object | JsonSchemaType.Null;
            schema.AdditionalPropertiesAllowed = true;
        }
        else if (converter == typeof(TimestampConverter))
        {
            schema.Type = JsonSchemaType.String | JsonSchemaType.Null;
            schema.Format = "date-time";
        }
        else if (converter == typeof(CountConverter))
        {
            schema.Type = JsonSchemaType.Integer | JsonSchemaType.Null;
            schema.Format = "int64";
        }
        else if (converter == typeof(RunTimeoutConverter))
        {
            schema.Type = JsonSchemaType.Number | JsonSchemaType.Null;
            schema.Format = "double";
        }
        else if (converter == typeof(HarnessConverter))
        {
            schema.Type = null;
            schema.OneOf =
            [
                new OpenApiSchema { Type = JsonSchemaType.String | JsonSchemaType.Null, Description = "The word." },
                ObjectWith("type", "An object with the word as its type."),
            ];
        }
        else
        {
            ApplyComputeChoice(schema);
        }
    }

    private static void ApplyComputeChoice(OpenApiSchema schema)
    {
        schema.Type = null;
        schema.Properties = null;
        schema.Required = null;
        schema.AnyOf =
        [
            new OpenApiSchema { Type = JsonSchemaType.String, Enum = Words("none", "local", "e2b", "vercel", "cloudflare"), Description = "A provider, or none." },
            new OpenApiSchema { Type = JsonSchemaType.String, Pattern = "^(comp|provider)_[A-Za-z0-9_-]+$", MaxLength = 64, Description = "A compute's id." },
            ObjectWith("compute_id", "An object with a compute's id."),
            ObjectWith("provider", "An object with a provider's name."),
        ];
    }

    private static Dictionary<string, IOpenApiSchema> SessionMembers()
    {
        var members = new Dictionary<string, IOpenApiSchema>(StringComparer.Ordinal);
        foreach (var field in SessionFields.All)
        {
            members[field.Name.Value] = SchemaOf(field, field.Description);
            if (field.Twin is { } twin)
            {
                members[twin.Value] = SchemaOf(field, $"The same as `{field.Name.Value}`.");
            }
        }

        return members;
    }

    private static OpenApiSchema SchemaOf(SessionField field, string description) => new()
    {
        Type = field.Type,
        Format = field.Name.Value.EndsWith("At", StringComparison.Ordinal) ? "date-time" : field.Type == JsonSchemaType.Integer ? "int64" : null,
        Enum = string.Equals(field.Name.Value, "status", StringComparison.Ordinal) ? Words("idle", "running", "ended") : null,
        Description = description,
    };

    private static OpenApiSchema ObjectWith(string member, string description) => new()
    {
        Type = JsonSchemaType.Object,
        Required = new HashSet<string>(StringComparer.Ordinal) { member },
        Properties = new Dictionary<string, IOpenApiSchema>(StringComparer.Ordinal) { [member] = new OpenApiSchema { Type = JsonSchemaType.String } },
        Description = description,
    };

    private static List<JsonNode> Words(params ReadOnlySpan<string> words)
    {
        List<JsonNode> nodes = [];
        foreach (var word in words)
        {
            nodes.Add(word);
        }

        return nodes;
    }
}
