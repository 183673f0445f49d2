using Cerver.Api.Accounts;
using Cerver.Api.Answers;
using Cerver.Api.Calls;
using Cerver.Api.Requests;
using Cerver.Computes;

namespace Cerver.Api.Files;

/// <summary>The files of a session's sandbox, whether it is up or not.</summary>
internal static class FileEndpoints
{
    private const string Bytes = "application/octet-stream";

    private static readonly NumberParameter Limit = new("limit", 1, FileParts.MaxEntries, "How many entries of a directory; 1,000 when left out.");
    private static readonly TextParameter Cursor = new("cursor", "The `next_cursor` of the page before.");
    private static readonly FlagParameter Recursive = new("recursive", "Whether a directory goes with all that is in it.");

    public static void MapFiles(this IEndpointRouteBuilder routes)
    {
        var files = routes.MapGroup("/v2/sessions/{sessionId}/files").WithTags("Files").RequireAuthorization();
        files.MapGet("/", List).WithName("listFiles")
            .WithSummary("Lists the workspace of the session's sandbox.")
            .WithMetadata(new ParameterMetadata([Limit, Cursor]))
            .Produces<FileListAnswer>();
        files.MapGet("/{**path}", Read).WithName("readFile")
            .WithSummary("Reads a file of the session's sandbox, or lists a directory.")
            .WithDescription("The bytes as they are; secrets are not redacted in files. At most 64 MiB in one answer: a larger file is read in parts with `Range`. Symbolic links are not "
                + "followed. When another file takes its place meanwhile, or something goes wrong on the way, the connection is cut: a file that ends in order is one file. "
                + "Reading does not keep the sandbox up, nor bring it up.")
            .WithMetadata(new ParameterMetadata([Limit, Cursor]))
            .Produces<string>(contentType: Bytes)
            .Produces<string>(StatusCodes.Status206PartialContent, Bytes)
            .Produces<FileListAnswer>();
        files.MapPut("/{**path}", Write).WithName("writeFile")
            .WithSummary("Puts a file into the session's sandbox, in the place of one that is there.")
            .WithDescription("The body is the file as it is, at most 64 MiB, whatever it is declared as. It takes its place at once and as a whole when all of it has arrived; otherwise nothing "
                + "is changed. Directories above it are made. It gets the mode 0644. To send it again is to send it once, so it needs no `Idempotency-Key`.")
            .WithMetadata(new BodyMetadata(typeof(string), IsRequired: true, Bytes))
            .Produces<FileWritten>()
            .Produces<FileWritten>(StatusCodes.Status201Created);
        files.MapDelete("/{**path}", Delete).WithName("deleteFile")
            .WithSummary("Removes a file, a symbolic link or a directory from the session's sandbox.")
            .WithDescription("A directory that is not empty goes with `recursive=true`. Repeating it is fine, also when nothing was there.")
            .WithMetadata(new ParameterMetadata([Recursive]))
            .Produces<FileDeleted>();
    }

    private static async Task<JsonAnswer<FileListAnswer>> List(
        string sessionId, HttpRequest request, Caller caller, IClusterClient cluster, GrainCalls calls, CancellationToken cancellationToken)
    {
        var sandbox = caller.Sandbox(cluster, await FindSandboxAsync(sessionId, caller, cluster, calls, cancellationToken));
        return await ListAsync(request, sandbox, SandboxPath.Root, calls, cancellationToken);
    }

    private static async Task<IResult> Read(
        string sessionId, FilePath file, HttpRequest request, Caller caller, IClusterClient cluster, GrainCalls calls, FileGate gate, CancellationToken cancellationToken)
    {
        var sandbox = caller.Sandbox(cluster, await FindSandboxAsync(sessionId, caller, cluster, calls, cancellationToken));
        var found = await ReadAsync(new ReadFile(file.Value, Offset: 0, Count: 0), cancellationToken);
        return found.IsDirectory
            ? await ListAsync(request, sandbox, file.Value, calls, cancellationToken)
            : new FileDownload(
                found, (offset, count, token) => ReadAsync(new ReadFile(file.Value, offset, count, found.FileId), token), token => gate.EnterAsync(caller.AccountId, token));

        Task<FilePart> ReadAsync(ReadFile part, CancellationToken token) =>
            calls.ReadOutsideAsync((sandbox, part), static (call, token) => call.sandbox.ReadFileAsync(call.part, token), token);
    }

    private static async Task<JsonAnswer<FileWritten>> Write(
        string sessionId, FilePath file, HttpContext context, Caller caller, IClusterClient cluster, GrainCalls calls, FileGate gate, TimeProvider time)
    {
        file.Value.RequireNamed();
        using var place = await gate.EnterAsync(caller.AccountId, context.RequestAborted);
        var sandboxId = await FindSandboxAsync(sessionId, caller, cluster, calls, context.RequestAborted);
        var upload = new FileUpload(calls, caller.Sandbox(cluster, sandboxId), Ids.NewUpload(time));
        try
        {
            var size = await upload.TakeAsync(context, time);
            await TouchAsync(sessionId, sandboxId, caller, cluster, calls);
            var placed = await upload.PlaceAsync(file.Value, size);
            return JsonAnswer.Of(
                new FileWritten { Path = file.Value.ToString(), Size = size },
                AnswerJson.Default.FileWritten,
                placed.IsNew ? StatusCodes.Status201Created : StatusCodes.Status200OK);
        }
        catch
        {
            upload.Abandon();
            throw;
        }
    }

    private static async Task<JsonAnswer<FileDeleted>> Delete(
        string sessionId, FilePath file, HttpRequest request, Caller caller, IClusterClient cluster, GrainCalls calls, CancellationToken cancellationToken)
    {
        file.Value.RequireNamed();
        var delete = new DeleteFile(file.Value, Recursive.Read(request));
        var sandboxId = await FindSandboxAsync(sessionId, caller, cluster, calls, cancellationToken);
        await TouchAsync(sessionId, sandboxId, caller, cluster, calls);
        await calls.TellOutsideAsync(
            (Sandbox: caller.Sandbox(cluster, sandboxId), delete), static (call, token) => call.Sandbox.DeleteFileAsync(call.delete, token), CancellationToken.None);
        return JsonAnswer.Of(new FileDeleted { Path = file.Value.ToString() }, AnswerJson.Default.FileDeleted);
    }

    private static Task<string> FindSandboxAsync(string sessionId, Caller caller, IClusterClient cluster, GrainCalls calls, CancellationToken cancellationToken) =>
        calls.ReadAsync(caller.Session(cluster, sessionId), static (session, token) => session.GetSandboxAsync(token), cancellationToken);

    /// <summary>Tells the session that its files are about to change. To be told twice is to be told.</summary>
    private static Task TouchAsync(string sessionId, string sandboxId, Caller caller, IClusterClient cluster, GrainCalls calls) => calls.TellAsync(
        (Session: caller.Session(cluster, sessionId), sandboxId), static (call, token) => call.Session.TouchFilesAsync(call.sandboxId, token), CancellationToken.None);

    private static async Task<JsonAnswer<FileListAnswer>> ListAsync(
        HttpRequest request, IComputeGrain sandbox, SandboxPath path, GrainCalls calls, CancellationToken cancellationToken)
    {
        var after = Cursor.Read(request) is { } cursor ? FileCursorText.Parse(cursor, Cursor.Name) : [];
        var list = new ListFiles(path, after, (int)(Limit.Read(request) ?? FileParts.MaxEntries));
        var listing = await calls.ReadOutsideAsync((sandbox, list), static (call, token) => call.sandbox.ListFilesAsync(call.list, token), cancellationToken);
        return JsonAnswer.Of(FileListAnswer.Of(path, listing, FileCursorText.WriteNext(listing)), AnswerJson.Default.FileListAnswer);
    }
}
