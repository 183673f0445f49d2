using Cerver.Errors;
using Cerver.Runs;

namespace Cerver.Api.Runs;

/// <summary>What there is to know of runs: their rows, their sandboxes' own word, and the events that may be lost on the way.</summary>
internal interface IRunSource
{
    /// <summary>A run as it is recorded now.</summary>
    /// <exception cref="CerverException"><see cref="CerverError.NotFound"/>.</exception>
    Task<RunRecord> FindAsync(string accountId, string sessionId, string runId, CancellationToken cancellationToken);

    /// <summary>Output of a run after a sequence number, in order: some of it, and none only when there is none.</summary>
    Task<ImmutableArray<RunChunk>> ReadOutputAsync(string accountId, RunRecord run, long after, CancellationToken cancellationToken);

    /// <summary>Waits until the run is over, a second at most.</summary>
    /// <returns>How far it has come by then; how far its record says, which may be less, when its sandbox does not know it.</returns>
    /// <exception cref="CerverException"><see cref="CerverError.NotFound"/> when the run was erased meanwhile.</exception>
    Task<RunHead> WaitAsync(string accountId, RunRecord run, TimeSpan atMost, CancellationToken cancellationToken);

    /// <summary>Listens to the stream that carries the run's output, and that of other runs.</summary>
    /// <param name="run">The run.</param>
    /// <param name="receive">Is called with what comes: perhaps late, perhaps twice, perhaps not at all.</param>
    /// <returns>Ends the listening when it is disposed of; null when there is nothing to listen to now.</returns>
    Task<IAsyncDisposable?> SubscribeAsync(RunRecord run, Func<RunOutput, Task> receive);
}
