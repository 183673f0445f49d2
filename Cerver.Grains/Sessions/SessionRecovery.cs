using Cerver.Grains.Runs;
using Cerver.Runs;
using Cerver.Sessions;

namespace Cerver.Grains.Sessions;

/// <summary>Brings sessions in line with a process that has just started: no sandbox of the last one is alive, whatever the rows say.</summary>
internal sealed class SessionRecovery(ISessionStore sessions, IRunStore runs, IGrainFactory grains, TimeProvider time)
{
    /// <summary>Closes runs that the last process left going as lost and sets their sessions idle.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        foreach (var session in await sessions.ListUnsettledAsync(cancellationToken))
        {
            var grain = grains.GetGrain<ISessionGrain>(SessionKey.For(session.AccountId, session.SessionId));
            foreach (var run in await runs.ListGoingAsync(session.AccountId, session.SessionId, cancellationToken))
            {
                await grain.CompleteRunAsync(await LostAsync(session.AccountId, run, cancellationToken), cancellationToken);
            }

            if (session is { Status: SessionStatus.Running, SandboxId: { } sandboxId })
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
