using Cerver.Errors;
using Cerver.Runs;

namespace Cerver.Grains.Runs;

/// <summary>Where runs and their output are kept. Every failure is a <see cref="CerverException"/>.</summary>
internal interface IRunStore
{
    /// <summary>About how many bytes of output are read at once.</summary>
    const int PageBytes = 256 * 1024;

    /// <summary>Comes after the id of every run.</summary>
    const string AfterEveryRun = "~";

    /// <summary>One run of a session, or null when there is none.</summary>
    Task<RunRecord?> FindAsync(string accountId, string sessionId, string runId, CancellationToken cancellationToken);

    /// <summary>Runs of a session, the newest first.</summary>
    Task<ImmutableArray<RunRecord>> ListAsync(string accountId, string sessionId, string? before, int limit, CancellationToken cancellationToken);

    /// <summary>Runs of a session that are going on.</summary>
    Task<ImmutableArray<RunRecord>> ListGoingAsync(string accountId, string sessionId, CancellationToken cancellationToken);

    /// <summary>Output of a run after a sequence number, as much as fits into 256 KiB, at least one chunk if there is one.</summary>
    Task<ImmutableArray<RunChunk>> ReadOutputAsync(string accountId, string runId, long after, CancellationToken cancellationToken);

    /// <summary>
    /// Adds chunks to a run's output and to what happened in its session, all or none. They are on disk when the task completes.
    /// </summary>
    /// <exception cref="CerverException">
    /// <see cref="CerverError.Fenced"/> when a sequence number is taken, <see cref="CerverError.Conflict"/> when the run is over,
    /// <see cref="CerverError.NotFound"/> when the session is gone.
    /// </exception>
    Task AppendOutputAsync(string sessionId, string runId, ImmutableArray<RunChunk> chunks, CancellationToken cancellationToken);
}
