using Cerver.Errors;
using Cerver.Runs;
using Orleans.Concurrency;

namespace Cerver.Computes;

/// <summary>One sandbox: brings it up, runs code in it, and owns the output of its runs.</summary>
/// <remarks>Keyed by <see cref="SandboxKey"/>. Output is on disk before the stream <see cref="RunStreams.For"/> carries it.</remarks>
[Alias("cerver.compute"), GrainInterfaceType("cerver.compute")]
public interface IComputeGrain : IGrainWithStringKey
{
    /// <summary>Brings the sandbox up, or again with the files it had. Repeating it is fine.</summary>
    /// <exception cref="CerverException"><see cref="CerverError.ProviderUnavailable"/> when the provider cannot.</exception>
    [Alias("attach")]
    Task AttachAsync(AttachSandbox request, CancellationToken cancellationToken = default);

    /// <summary>Whether the sandbox is up now.</summary>
    [Alias("is-up"), AlwaysInterleave]
    Task<bool> IsUpAsync(CancellationToken cancellationToken = default);

    /// <summary>Starts a run whose row is already on disk. The sandbox comes up first if it is not.</summary>
    /// <exception cref="CerverException"><see cref="CerverError.ProviderUnavailable"/> when nothing was started.</exception>
    [Alias("start")]
    Task StartAsync(SandboxRun run, CancellationToken cancellationToken = default);

    /// <summary>Tells the agent in the sandbox what its user says. One that has no agent does nothing. The sandbox comes up first if it is not.</summary>
    /// <returns>What the machine has against it, a sentence, or null when the agent has heard it.</returns>
    /// <exception cref="CerverException"><see cref="CerverError.ComputeOffline"/>, <see cref="CerverError.ProviderUnavailable"/>: the agent may not have heard it.</exception>
    [Alias("tell-agent"), ResponseTimeout("00:00:20")]
    Task<string?> TellAgentAsync(TellAgent request, CancellationToken cancellationToken = default);

    /// <summary>Waits until the run is over.</summary>
    /// <param name="runId">The run.</param>
    /// <param name="atMost">How long to wait; more than a second counts as a second.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>How far the run has come by then.</returns>
    [Alias("wait"), AlwaysInterleave]
    Task<RunHead> WaitAsync(string runId, TimeSpan atMost, CancellationToken cancellationToken = default);

    /// <summary>Stops a run: asks its processes to end, then ends them. Returns at once; the run's end says the rest.</summary>
    /// <returns>Whether the run was going on here.</returns>
    [Alias("cancel"), AlwaysInterleave]
    Task<bool> CancelAsync(string runId, CancellationToken cancellationToken = default);

    /// <summary>Ends every process of the sandbox and keeps its files. Repeating it is fine.</summary>
    /// <returns>How the runs ended that were going on, all their output on disk.</returns>
    /// <exception cref="CerverException"><see cref="CerverError.StorageUnavailable"/>; the sandbox is as it was then.</exception>
    [Alias("suspend")]
    Task<ImmutableArray<RunEnd>> SuspendAsync(CancellationToken cancellationToken = default);

    /// <summary>Ends every process of the sandbox and removes its files. Repeating it is fine.</summary>
    /// <returns>How the runs ended that were going on, all their output on disk.</returns>
    [Alias("release")]
    Task<ImmutableArray<RunEnd>> ReleaseAsync(CancellationToken cancellationToken = default);

    /// <summary>Lists a directory of its files. None of the calls about files brings the sandbox up, and all work while it is down.</summary>
    /// <exception cref="CerverException">
    /// <see cref="CerverError.NotFound"/>; <see cref="CerverError.Conflict"/> when it is no directory, or its way leads over a symbolic link, or the sandbox's
    /// files are gone; <see cref="CerverError.NoCompute"/> when its provider gives no access to files; <see cref="CerverError.ComputeOffline"/> when they are on a
    /// machine that cannot be reached. So do all of these calls.
    /// </exception>
    [Alias("list-files"), AlwaysInterleave, ResponseTimeout("00:00:20")]
    Task<FileListing> ListFilesAsync(ListFiles request, CancellationToken cancellationToken = default);

    /// <summary>Reads a part of a file, or tells that the path leads to a directory.</summary>
    /// <exception cref="CerverException"><see cref="CerverError.Conflict"/> also when another file took the place of the one that was begun with.</exception>
    [Alias("read-file"), AlwaysInterleave, ResponseTimeout("00:00:20")]
    Task<FilePart> ReadFileAsync(ReadFile request, CancellationToken cancellationToken = default);

    /// <summary>Begins to send a file. Repeating it is fine.</summary>
    /// <exception cref="CerverException">
    /// <see cref="CerverError.PayloadTooLarge"/>; <see cref="CerverError.RateLimited"/> when too many are being sent.
    /// </exception>
    [Alias("begin-file"), AlwaysInterleave, ResponseTimeout("00:00:20")]
    Task BeginFileAsync(BeginFile request, CancellationToken cancellationToken = default);

    /// <summary>Takes the next part of a file. Repeating it is fine.</summary>
    /// <exception cref="CerverException">
    /// <see cref="CerverError.PayloadTooLarge"/>; <see cref="CerverError.Conflict"/> when nothing is known of the upload any more.
    /// </exception>
    [Alias("write-file"), AlwaysInterleave, ResponseTimeout("00:00:20")]
    Task WriteFileAsync(WriteFile part, CancellationToken cancellationToken = default);

    /// <summary>Puts a file that was sent in its place, at once and as a whole; it is on disk then. Repeating it is fine.</summary>
    /// <remarks>A turn of its own, so that the files get no other owner meanwhile, which they may get when the sandbox comes up.</remarks>
    /// <exception cref="CerverException"><see cref="CerverError.Conflict"/> also when a directory is in its place.</exception>
    [Alias("place-file"), ResponseTimeout("00:00:20")]
    Task<FilePlaced> PlaceFileAsync(PlaceFile request, CancellationToken cancellationToken = default);

    /// <summary>Forgets what was sent of a file that will not be put in its place. What nobody forgets goes after a while.</summary>
    [Alias("abandon-file"), AlwaysInterleave, OneWay]
    Task AbandonFileAsync(string uploadId, CancellationToken cancellationToken = default);

    /// <summary>Removes a file, a link or a directory. Repeating it is fine.</summary>
    /// <exception cref="CerverException"><see cref="CerverError.Conflict"/> also for a directory that is not empty, unless all of it is to go.</exception>
    [Alias("delete-file"), ResponseTimeout("00:00:20")]
    Task DeleteFileAsync(DeleteFile request, CancellationToken cancellationToken = default);

    /// <summary>Takes what happened in the sandbox on its machine. Events may come twice; each run's come in order.</summary>
    /// <param name="computeId">The machine that says so.</param>
    /// <param name="events">The events, at least one.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>What became of each run's, and of the sandbox's own.</returns>
    [Alias("deliver"), AlwaysInterleave]
    Task<ImmutableArray<SandboxReceipt>> DeliverAsync(string computeId, ImmutableArray<SandboxEvent> events, CancellationToken cancellationToken = default);
}
