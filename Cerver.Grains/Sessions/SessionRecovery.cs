using Cerver.Grains.Runs;
using Cerver.Runs;
using Cerver.Sessions;

namespace Cerver.Grains.Sessions;

/// <summary>Brings sessions in line with the end of a process: none of its sandboxes is alive, whatever the rows say.</summary>
internal sealed class SessionRecovery(ISessionStore sessions, IRunStore runs, IGrainFactory grains, TimeProvider time)
{
    /// <summary>Closes runs of hosts whose processes are gone as lost and sets their sessions idle.</summary>
    /// <param name="isGone">Whether the process of a host is gone.</param>
    /// <param name="cancellationToken">Gives up. What is left is found the next time.</param>
    public async Task RunAsync(Func<string, bool> isGone, CancellationToken cancellationToken)
    {
        foreach (var session in await sessions.ListUnsettledAsync(cancellationToken))
        {
            var grain = grains.GetGrain<ISessionGrain>(SessionKey.For(session.AccountId, session.SessionId));
            foreach (var run in await runs.ListGoingAsync(session.AccountId, session.SessionId, cancellationToken))
            {
                if (!isGone(Ids.HostOfSandbox(run.SandboxId)))
                {
                    continue;
                }

                await grain.CompleteRunAsync(await LostAsync(session.AccountId, run, cancellationToken), cancellationToken);
            }

            if (session is { Status: SessionStatus.Running, SandboxId: { } sandboxId } && isGone(Ids.HostOfSandbox(sandboxId)))
            {
                await grain.SandboxLostAsync(sandboxId, cancellationToken);
            }
        }
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
}
