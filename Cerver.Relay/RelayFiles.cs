using System.Text.Json;
using Cerver.Computes;
using Cerver.Errors;
using Cerver.Grains.Computes.Local;
using Cerver.Grains.Computes.Relays;

namespace Cerver.Relay;

/// <summary>The files of this machine's sandboxes, for the gateway. Its sandboxes need not be up.</summary>
internal sealed class RelayFiles(LocalComputeProvider provider, RelaySandboxHost host, TimeProvider time)
{
    /// <summary>Below the time that the gateway waits, which hears so that there is more to remove.</summary>
    private static readonly TimeSpan DeleteLimit = TimeSpan.FromSeconds(10);

    private LocalSandboxFiles Files => provider.Files is { Obstacle: { } obstacle } ? throw new CerverException(CerverError.NoCompute, obstacle) : provider.Files;

    /// <summary>
    /// Forgets what was sent of files. When the line drops in the middle of one the gateway gives it up, and cannot say so here: with some drops there would be as many as
    /// may be sent at once.
    /// </summary>
    public Task ForgetUploadsAsync() => provider.Files.AbandonAllAsync();

    /// <summary>Carries out what the gateway asks for.</summary>
    /// <param name="request">The request.</param>
    /// <param name="sandboxId">The sandbox whose files they are.</param>
    /// <param name="route">The end of its path.</param>
    /// <param name="cancellationToken">The line is down.</param>
    /// <returns>The answer, or null when there is no such route.</returns>
    /// <exception cref="CerverException">Whatever the sandbox refuses.</exception>
    /// <exception cref="JsonException">The body is none that the route takes.</exception>
    public async Task<(int Status, JsonElement? Body)?> AnswerAsync(RelayFrame request, string sandboxId, string[] route, CancellationToken cancellationToken)
    {
        if (!Ids.IsSandbox(sandboxId))
        {
            return null;
        }

        switch (request.Method, route)
        {
            case ("POST", ["list"]):
                return (200, await ListAsync(sandboxId, RelayRequests.Read(request, RelayJson.Default.ListRelayFiles), cancellationToken));
            case ("POST", ["read"]):
                return (200, await ReadAsync(sandboxId, RelayRequests.Read(request, RelayJson.Default.ReadRelayFile), cancellationToken));
            case ("POST", ["delete"]):
                await DeleteAsync(sandboxId, RelayRequests.Read(request, RelayJson.Default.DeleteRelayFile), cancellationToken);
                return (204, null);
            case ("POST", ["uploads"]):
                var begin = RelayRequests.Read(request, RelayJson.Default.BeginRelayUpload);
                await Files.BeginAsync(sandboxId, new BeginFile(begin.UploadId ?? throw new JsonException(), begin.Size), cancellationToken);
                return (201, null);
            case ("POST", ["uploads", var uploadId, "write"]):
                var part = RelayRequests.Read(request, RelayJson.Default.WriteRelayUpload);
                await Files.WriteAsync(sandboxId, new WriteFile(uploadId, Checked(part.Offset), part.Data ?? throw new JsonException()), cancellationToken);
                return (204, null);
            case ("POST", ["uploads", var uploadId, "place"]):
                return (200, await PlaceAsync(sandboxId, uploadId, RelayRequests.Read(request, RelayJson.Default.PlaceRelayUpload), cancellationToken));
            case ("DELETE", ["uploads", var uploadId]):
                await Files.AbandonAsync(sandboxId, uploadId, cancellationToken);
                return (204, null);
            default:
                return null;
        }
    }

    private static long Checked(long offset) => offset >= 0 ? offset : throw new JsonException();

    private async Task<JsonElement> ListAsync(string sandboxId, ListRelayFiles request, CancellationToken cancellationToken)
    {
        var listing = await Files.ListAsync(sandboxId, new ListFiles(SandboxPath.Parse(request.Path), [.. request.After ?? []], request.Limit), cancellationToken);
        var entries = listing.Entries.Select(static entry => new RelayFileEntry([.. entry.Name], RelayFileTypes.Of(entry.Kind), entry.Size, entry.ModifiedAt));
        return RelayRequests.Write(new RelayFileListing([.. entries], listing.Next.IsEmpty ? null : [.. listing.Next]), RelayJson.Default.RelayFileListing);
    }

    private async Task<JsonElement> ReadAsync(string sandboxId, ReadRelayFile request, CancellationToken cancellationToken)
    {
        var part = await Files.ReadAsync(sandboxId, new ReadFile(SandboxPath.Parse(request.Path), Checked(request.Offset), request.Count, request.FileId), cancellationToken);
        return RelayRequests.Write(
            new RelayFilePart(part.IsDirectory, part.Size, part.ModifiedAt, part.FileId, part.Version, part.MaxBytes, part.Data), RelayJson.Default.RelayFilePart);
    }

    private async Task<JsonElement> PlaceAsync(string sandboxId, string uploadId, PlaceRelayUpload request, CancellationToken cancellationToken)
    {
        // The gateway does not place files while it opens the sandbox, but it may have given up on a call that goes on here.
        var place = new PlaceFile(uploadId, SandboxPath.Parse(request.Path), request.Size);
        var placed = await host.WhileNoneOpensAsync(() => Files.PlaceAsync(sandboxId, place, cancellationToken), cancellationToken);
        return RelayRequests.Write(new RelayUploadPlaced(placed.IsNew), RelayJson.Default.RelayUploadPlaced);
    }

    private async Task DeleteAsync(string sandboxId, DeleteRelayFile request, CancellationToken cancellationToken)
    {
        using var limit = new CancellationTokenSource(DeleteLimit, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        try
        {
            await Files.DeleteAsync(sandboxId, new DeleteFile(SandboxPath.Parse(request.Path), request.Recursive), either.Token);
        }
        catch (OperationCanceledException) when (limit.IsCancellationRequested)
        {
            throw new CerverException(CerverError.ProviderUnavailable, "There is so much in the directory that its machine could not remove all of it in time. Send the same call again to go on.");
        }
    }
}
