using Cerver.Computes;
using Cerver.Errors;

namespace Cerver.Grains.Computes;

/// <summary>
/// The way to the files of a provider's sandboxes, whether they are up or not. Programs in a sandbox change them meanwhile, and whatever they do, nothing outside
/// of its workspace is read or changed: symbolic links are not followed, and only files that have bytes are opened. Every call is one message to wherever the
/// files are, and may be repeated. Every member may be called at once from anywhere.
/// </summary>
internal interface ISandboxFiles
{
    /// <summary>Why there is no way to the files after all, a sentence, or null.</summary>
    string? Obstacle { get; }

    /// <inheritdoc cref="IComputeGrain.ListFilesAsync"/>
    Task<FileListing> ListAsync(string sandboxId, ListFiles request, CancellationToken cancellationToken);

    /// <inheritdoc cref="IComputeGrain.ReadFileAsync"/>
    Task<FilePart> ReadAsync(string sandboxId, ReadFile request, CancellationToken cancellationToken);

    /// <inheritdoc cref="IComputeGrain.BeginFileAsync"/>
    Task BeginAsync(string sandboxId, BeginFile request, CancellationToken cancellationToken);

    /// <inheritdoc cref="IComputeGrain.WriteFileAsync"/>
    Task WriteAsync(string sandboxId, WriteFile part, CancellationToken cancellationToken);

    /// <inheritdoc cref="IComputeGrain.PlaceFileAsync" path="/summary"/>
    /// <remarks>The sandbox must not be brought up meanwhile: its files may get another owner then.</remarks>
    /// <exception cref="CerverException"><see cref="CerverError.Conflict"/> also when a directory is in its place.</exception>
    Task<FilePlaced> PlaceAsync(string sandboxId, PlaceFile request, CancellationToken cancellationToken);

    /// <inheritdoc cref="IComputeGrain.AbandonFileAsync"/>
    Task AbandonAsync(string sandboxId, string uploadId, CancellationToken cancellationToken);

    /// <inheritdoc cref="IComputeGrain.DeleteFileAsync"/>
    Task DeleteAsync(string sandboxId, DeleteFile request, CancellationToken cancellationToken);
}
