using System.Buffers;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Cerver.Computes;
using Cerver.Errors;

namespace Cerver.Grains.Computes.Relays;

/// <summary>
/// The files of the sandboxes of one machine. The relay there has them read and changed by the same code as the gateway on its own machine, and refuses in the same
/// words. What it answers is looked at before it goes on to a caller: it may say anything.
/// </summary>
/// <param name="machine">The way to the machine.</param>
internal sealed class MachineFiles(MachineCalls machine) : ISandboxFiles
{
    private const int MaxWordCharacters = 128;

    /// <summary>Below the time after which whoever asks stops waiting, so that he hears why. A line that does not carry a part in it is too slow for files.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(15);

    /// <summary>What the machine may refuse for another reason than that it did not do its part.</summary>
    private static readonly ImmutableArray<CerverError> Refusals =
        [CerverError.InvalidRequest, CerverError.NotFound, CerverError.Conflict, CerverError.NoCompute, CerverError.PayloadTooLarge, CerverError.RateLimited];

    /// <summary>What names of versions are made of. They go into headers.</summary>
    private static readonly SearchValues<char> WordCharacters = SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.");

    /// <summary>None that is known before the machine is asked, which every call does that does not go on with another.</summary>
    public string? Obstacle => null;

    /// <inheritdoc/>
    public async Task<FileListing> ListAsync(string sandboxId, ListFiles request, CancellationToken cancellationToken)
    {
        await RequireFilesAsync(cancellationToken);
        var wanted = new ListRelayFiles([.. request.Path.Bytes], [.. request.After], request.Limit);
        var listing = RelayAnswers.Read(
            await PostAsync(RelayPaths.ListFiles(sandboxId), wanted, RelayJson.Default.ListRelayFiles, cancellationToken), RelayJson.Default.RelayFileListing);
        return listing.Entries is { IsDefault: false } entries && entries.Length <= Math.Clamp(request.Limit, 1, FileParts.MaxEntries)
            ? new([.. entries.Select(Read)], [.. listing.Next ?? []])
            : throw RelayAnswers.Unreadable();
    }

    /// <inheritdoc/>
    public async Task<FilePart> ReadAsync(string sandboxId, ReadFile request, CancellationToken cancellationToken)
    {
        if (request.FileId is null)
        {
            await RequireFilesAsync(cancellationToken);
        }

        var wanted = new ReadRelayFile([.. request.Path.Bytes], request.Offset, request.Count, request.FileId);
        var part = RelayAnswers.Read(
            await PostAsync(RelayPaths.ReadFile(sandboxId), wanted, RelayJson.Default.ReadRelayFile, cancellationToken), RelayJson.Default.RelayFilePart);
        var data = part.Data ?? [];
        return part is { Size: >= 0, MaxBytes: > 0 } && data.Length <= request.Count
            ? new(part.IsDirectory, part.Size, part.ModifiedAt, Word(part.FileId), Word(part.Version), part.MaxBytes, data)
            : throw RelayAnswers.Unreadable();
    }

    /// <inheritdoc/>
    public async Task BeginAsync(string sandboxId, BeginFile request, CancellationToken cancellationToken)
    {
        await RequireFilesAsync(cancellationToken);
        await PostAsync(RelayPaths.Uploads(sandboxId), new BeginRelayUpload(request.UploadId, request.Size), RelayJson.Default.BeginRelayUpload, cancellationToken);
    }

    /// <inheritdoc/>
    public Task WriteAsync(string sandboxId, WriteFile part, CancellationToken cancellationToken) =>
        PostAsync(RelayPaths.Write(sandboxId, part.UploadId), new WriteRelayUpload(part.Offset, part.Data), RelayJson.Default.WriteRelayUpload, cancellationToken);

    /// <inheritdoc/>
    public async Task<FilePlaced> PlaceAsync(string sandboxId, PlaceFile request, CancellationToken cancellationToken)
    {
        var wanted = new PlaceRelayUpload([.. request.Path.Bytes], request.Size);
        var placed = RelayAnswers.Read(
            await PostAsync(RelayPaths.Place(sandboxId, request.UploadId), wanted, RelayJson.Default.PlaceRelayUpload, cancellationToken), RelayJson.Default.RelayUploadPlaced);
        return new(placed.IsNew);
    }

    /// <inheritdoc/>
    public Task AbandonAsync(string sandboxId, string uploadId, CancellationToken cancellationToken) =>
        AskAsync("DELETE", RelayPaths.Upload(sandboxId, uploadId), body: null, cancellationToken);

    /// <inheritdoc/>
    public async Task DeleteAsync(string sandboxId, DeleteFile request, CancellationToken cancellationToken)
    {
        await RequireFilesAsync(cancellationToken);
        await PostAsync(
            RelayPaths.DeleteFile(sandboxId), new DeleteRelayFile([.. request.Path.Bytes], request.Recursive), RelayJson.Default.DeleteRelayFile, cancellationToken);
    }

    private static SandboxEntry Read(RelayFileEntry entry) => entry is { Name: { Length: > 0 } name, Size: >= 0 }
        ? new([.. name], RelayFileTypes.Find(entry.Type), entry.Size, entry.ModifiedAt)
        : throw RelayAnswers.Unreadable();

    private static string Word(string? text) =>
        text is { Length: <= MaxWordCharacters } && !text.AsSpan().ContainsAnyExcept(WordCharacters) ? text : throw RelayAnswers.Unreadable();

    /// <summary>Makes sure that the relay knows what is asked of it. One of an older version would say that it has no such route, as if it had no such file.</summary>
    private async Task RequireFilesAsync(CancellationToken cancellationToken)
    {
        var described = await machine.DescribeAsync(cancellationToken);
        if (described.Capabilities is not { } capabilities || !capabilities.Features.HasFlag(ComputeFeatures.Files))
        {
            throw new CerverException(
                CerverError.NoCompute,
                $"The machine '{described.Label}' gives no access to the files of its sandboxes: its relay is of an older version, or its system does not let it. "
                + "Read and write them in runs, or bring cerver-relay up to date there.");
        }
    }

    private Task<string?> PostAsync<T>(string path, T body, JsonTypeInfo<T> type, CancellationToken cancellationToken) =>
        AskAsync("POST", path, JsonSerializer.Serialize(body, type), cancellationToken);

    private Task<string?> AskAsync(string method, string path, string? body, CancellationToken cancellationToken) =>
        machine.AskAsync(new MachineRequest(method, path, ImmutableDictionary<string, string>.Empty, body, Patience), Refusals, cancellationToken);
}
