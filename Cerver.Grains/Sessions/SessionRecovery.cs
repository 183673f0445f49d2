using Cerver.Computes;
using Cerver.Errors;
using Cerver.Grains.Runs;
using Cerver.Runs;
using Cerver.Sessions;
using Microsoft.Extensions.Logging;

namespace Cerver.Grains.Sessions;

/// <summary>Brings sessions in line with the end of a process: none of its sandboxes is alive, whatever the rows say.</summary>
internal sealed partial class SessionRecovery(
    ISessionStore sessions, IRunStore runs, IGrainFactory grains, TimeProvider time, ILogger<SessionRecovery> logger)
{
    /// <summary>How many sandboxes are seen to at once. A silo that had many must not keep their callers waiting for the last of them.</summary>
    private const int Parallelism = 8;

    /// <summary>Closes runs of hosts whose processes are gone as lost and sets their sessions idle.</summary>
    /// <param name="isGone">Whether the process of a host is gone.</param>
    /// <param name="cancellationToken">Gives up. What is left is found the next time.</param>
    /// <returns>Whether nothing is left to do. What could not be done is in the log.</returns>
    /// <exception cref="CerverException"><see cref="CerverError.StorageUnavailable"/> when it cannot be found out what there is to do.</exception>
    public async Task<bool> RunAsync(Func<string, bool> isGone, CancellationToken cancellationToken)
    {
        var busy = await sessions.ListBusyAsync(cancellationToken);
        var failures = 0;
        await Parallel.ForEachAsync(
            busy.Where(sandbox => isGone(Ids.HostOfSandbox(sandbox.SandboxId))),
            new ParallelOptions { MaxDegreeOfParallelism = Parallelism, CancellationToken = cancellationToken },
            async (sandbox, cancellation) =>
            {
                try
                {
                    await SettleAsync(sandbox, cancellation);
                }
#pragma warning disable CA1031 // One session in which something is wrong must not keep the runs of all others from being closed.
                catch (Exception failure) when (!cancellation.IsCancellationRequested)
#pragma warning restore CA1031
                {
                    Interlocked.Increment(ref failures);
                    LogFailed(failure, sandbox.SandboxId, sandbox.SessionId);
                }
            });
        return failures == 0;
    }

    private async Task SettleAsync(BusySandbox sandbox, CancellationToken cancellationToken)
    {
        var going = await runs.ListGoingAsync(sandbox.AccountId, sandbox.SessionId, cancellationToken);

        // The host may be back meanwhile. A run is on record when its sandbox is up already, so one that began since then is not taken for one that was lost.
        if (await grains.GetGrain<IComputeGrain>(SandboxKey.For(sandbox.AccountId, sandbox.SandboxId)).IsUpAsync(cancellationToken))
        {
            return;
        }

        var session = grains.GetGrain<ISessionGrain>(SessionKey.For(sandbox.AccountId, sandbox.SessionId));
        foreach (var run in going.Where(run => run.SandboxId == sandbox.SandboxId))
        {
            await session.CompleteRunAsync(await LostAsync(sandbox.AccountId, run, cancellationToken), cancellationToken);
        }

        await session.SandboxLostAsync(sandbox.SandboxId, cancellationToken);
    }

    private async Task<RunEnd> LostAsync(string accountId, RunRecord run, CancellationToken cancellationToken)
    {
        var digest = new OutputDigest(run.RunId);
        var head = 0L;
        while (await runs.ReadOutputAsync(accountId, run.RunId, head, cancellationToken) is { IsEmpty: false } chunks)
        {
            foreach (var chunk in chunks)
            {
                digest.Add(chunk.Data);
            }

            head = chunks[^1].Sequence;
        }

        return new RunEnd(run.RunId, RunStatus.Lost, ExitCode: null, Truncated: false, head, time.GetUtcNow(), digest.ToString());
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Sandbox {SandboxId} of session {SessionId} is gone and could not be closed; that is tried again")]
    private partial void LogFailed(Exception failure, string sandboxId, string sessionId);
}
