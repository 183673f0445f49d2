using Cerver.Api.Meta;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.OpenApi;

namespace Cerver.Api.Reference;

/// <summary>What the document says as a whole: what this is, how to be let in, what the groups are.</summary>
internal static class DocumentFrame
{
    /// <summary>The name of the one way to be let in.</summary>
    public const string SecurityScheme = "bearer";

    public static Task ApplyAsync(OpenApiDocument document, OpenApiDocumentTransformerContext context, CancellationToken cancellationToken)
    {
        document.Info = new OpenApiInfo
        {
            Title = "Cerver",
            Version = MetaEndpoints.Version,
            Description = "Memory, compute and secrets for AI agents behind one API. Times are RFC 3339 in UTC. "
                + "Every refusal has the same body: a sentence, a code, and the field at fault if there is one.",
            License = new OpenApiLicense { Name = "MIT", Identifier = "MIT" },
        };

        // Relative to the document: the host that serves it is the host that answers.
        document.Servers = [new OpenApiServer { Url = "/" }];
        document.Components ??= new OpenApiComponents();
        document.Components.SecuritySchemes = new Dictionary<string, IOpenApiSecurityScheme>(StringComparer.Ordinal)
        {
            [SecurityScheme] = new OpenApiSecurityScheme
            {
                Type = SecuritySchemeType.Http,
                Scheme = "bearer",
                Description = "The token of an account.",
            },
        };
        document.Tags = new HashSet<OpenApiTag>
        {
            new() { Name = "Sessions", Description = "One conversation each: created, found again, closed." },
            new() { Name = "Transcripts", Description = "What a session remembers: append-only, positions from 0 on, never changed." },
            new() { Name = "Runs", Description = "Code in a session's sandbox, and its output, live and later." },
            new() { Name = "Files", Description = "The workspace of a session's sandbox, whether it is up or not." },
            new() { Name = "Computes", Description = "What sessions run on." },
            new() { Name = "Secrets", Description = "What the operator keeps for the account's agents, and where the account keeps more." },
            new() { Name = "Meta", Description = "The gateway itself. No token is needed." },
        };
        return Task.CompletedTask;
    }
}
