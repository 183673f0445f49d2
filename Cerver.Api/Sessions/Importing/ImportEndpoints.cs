using Cerver.Api.Accounts;
using Cerver.Api.Answers;
using Cerver.Api.Requests;
using Microsoft.Extensions.Options;

namespace Cerver.Api.Sessions.Importing;

/// <summary>Sessions that were held elsewhere.</summary>
internal static class ImportEndpoints
{
    private static readonly ChoiceParameter Format = new("format", ImportParser.Words, "What the file is; found out from its content when left out.");
    private static readonly TextParameter Name = new("name", "What the session is called, at most 200 characters. Left out, it is the title in the file or what the user said first.");

    public static void MapImports(this IEndpointRouteBuilder routes)
    {
        var sessions = routes.MapGroup("/v2/sessions").WithTags("Sessions").RequireAuthorization();
        sessions.MapPost("/import", Import).WithName("importSession")
            .WithSummary("Makes a session of a session file of Claude Code or Codex, or of an export of this gateway.")
            .WithDescription(
                "The body is the file as it is. Entries keep their times, and the session is as old as they are. The same content is imported once in an account: sent "
                + "again, whenever and however often, it answers with the session that is there, and goes on where an import that was cut short had stopped. So it "
                + "needs no `Idempotency-Key`. Lines that cannot be read are left out and counted; entries beyond the limit of an entry are cut and say so.")
            .WithMetadata(new ParameterMetadata([Format, Name]), new BodyMetadata(typeof(string), IsRequired: true, ImportBody.MediaTypes))
            .Produces<SessionImported>()
            .Produces<SessionImported>(StatusCodes.Status201Created);
    }

    private static async Task<JsonAnswer<SessionImported>> Import(
        HttpContext context, Caller caller, IClusterClient cluster, SessionImporter importer, ImportGate gate, IOptions<ApiOptions> options, TimeProvider time,
        CancellationToken cancellationToken)
    {
        var (format, name) = (Format.Read(context.Request), Name.Read(context.Request));
        ImportBody.RequireMediaType(context.Request);
        using var place = await gate.EnterAsync(cancellationToken);
        var file = await ImportBody.ReadAsync(context, format, options.Value, time);
        if (file.Transcript.Entries.Count == 0 && file.Format != ImportParser.Cerver)
        {
            return JsonAnswer.Of(Nothing(file), AnswerJson.Default.SessionImported);
        }

        var progress = await importer.ImportAsync(cluster, caller, file, name, cancellationToken);
        if (progress.IsNew)
        {
            context.Response.Headers.Location = $"/v2/sessions/{progress.Session.SessionId}";
        }

        var answer = Nothing(file) with
        {
            SessionId = progress.Session.SessionId,
            SessionName = progress.Session.SessionName,
            Status = StatusWords.Of(progress.Session.Status),
            Harness = progress.Session.Harness,
            Imported = progress.IsNew,
            TranscriptTotal = progress.Session.TranscriptTotal,
        };
        return JsonAnswer.Of(answer, AnswerJson.Default.SessionImported, progress.IsNew ? StatusCodes.Status201Created : StatusCodes.Status200OK);
    }

    private static SessionImported Nothing(ImportedFile file) => new()
    {
        SessionId = null,
        SessionName = null,
        Status = null,
        Harness = file.Transcript.Harness,
        Format = file.Format,
        Imported = false,
        TranscriptTotal = 0,
        Skipped = file.Skipped,
    };
}
