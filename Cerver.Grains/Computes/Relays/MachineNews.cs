using Cerver.Computes;
using Cerver.Errors;
using Cerver.Grains.Runs;
using Cerver.Grains.Secrets.Redaction;
using Cerver.Grains.Sessions;
using Cerver.Runs;
using Microsoft.Extensions.Logging;

namespace Cerver.Grains.Computes.Relays;

/// <summary>What a machine says of one sandbox and of the runs in it.</summary>
/// <param name="sandboxId">The sandbox.</param>
/// <param name="accountId">The account that has it.</param>
/// <param name="site">Where it is.</param>
/// <param name="registration">What is stored of it.</param>
/// <param name="held">The sandbox, while it is up here.</param>
/// <param name="runs">The runs that are on record.</param>
/// <param name="registry">The values that are left out of what is written.</param>
/// <param name="record">Records a run.</param>
/// <param name="isGoing">Whether a run is recorded here.</param>
/// <param name="lost">Is told when the sandbox went down.</param>
/// <param name="logger">Where trouble is told.</param>
internal sealed partial class MachineNews(
    string sandboxId,
    string accountId,
    SandboxSite site,
    SandboxRegistration registration,
    HeldSandbox held,
    IRunStore runs,
    TaintRegistry registry,
    Action<FollowedRun> record,
    Func<string, bool> isGoing,
    Func<Task> lost,
    ILogger logger)
{
    /// <inheritdoc cref="IComputeGrain.DeliverAsync"/>
    public async Task<ImmutableArray<SandboxReceipt>> TakeAsync(string computeId, ImmutableArray<SandboxEvent> events, CancellationToken cancellationToken)
    {
        var isOurs = registration is { Exists: true, State.IsOfAgents: false } && computeId.Equals(registration.State.ComputeId, StringComparison.Ordinal);
        var receipts = ImmutableArray.CreateBuilder<SandboxReceipt>();
        foreach (var some in events.GroupBy(static what => what.RunId, StringComparer.Ordinal))
        {
            receipts.Add(
                !isOurs ? new SandboxReceipt(some.Key, some.Last().Generation, IsOver: true)
                : some.Key is null ? await TakeAsync(some.Last())
                : await TakeAsync(some.Key, some, cancellationToken));
        }

        return receipts.ToImmutable();
    }

    /// <summary>Takes what happened to the sandbox itself.</summary>
    private async Task<SandboxReceipt> TakeAsync(SandboxEvent what)
    {
        var up = held.Current as MachineSandbox;
        if (what.Kind == SandboxEventKind.Open)
        {
            if (up is null && site.IsUpOnMachine)
            {
                up = held.Hold(site.Attach(what.Generation));
            }

            // One that was to go down while its machine could not be reached goes down now.
            return new SandboxReceipt(RunId: null, what.Generation, IsOver: up is null);
        }

        if (up is not null)
        {
            up.Lose(what.Generation);
        }
        else if (site.IsUpOnMachine)
        {
            await lost();
        }

        return new SandboxReceipt(RunId: null, what.Generation);
    }

    /// <summary>Takes what happened in a run.</summary>
    private async Task<SandboxReceipt> TakeAsync(string runId, IEnumerable<SandboxEvent> events, CancellationToken cancellationToken)
    {
        if (await FollowAsync(runId, cancellationToken) is not { } sandbox)
        {
            return new SandboxReceipt(runId, Sequence: 0, IsOver: true);
        }

        // Also of a run that is followed only now: what comes is its beginning, or the machine hears that nothing was taken and sends that.
        var last = 0L;
        foreach (var what in events)
        {
            last = await sandbox.TakeAsync(what);
        }

        return new SandboxReceipt(runId, last);
    }

    /// <summary>Follows a run. One that another process began to follow is followed from its beginning: what is recorded of it is left as it is.</summary>
    /// <returns>The sandbox that takes what happens in it, or null when the run is over.</returns>
    private async Task<MachineSandbox?> FollowAsync(string runId, CancellationToken cancellationToken)
    {
        if (held.Current is MachineSandbox known && known.Follows(runId))
        {
            return known;
        }

        if (!site.IsUpOnMachine)
        {
            return null;
        }

        var run = await runs.FindAsync(accountId, registration.State.SessionId, runId, cancellationToken);
        if (run is not { Status: RunStatus.Running } || run.SandboxId != sandboxId)
        {
            return null;
        }

        var taints = await registry.OfAsync(accountId);
        var sandbox = held.Current as MachineSandbox ?? held.Hold(site.Attach());
        if (!sandbox.Follows(runId) && !isGoing(runId))
        {
            // Its machine measures its time, and may have ended it long ago. One of which nothing is heard for so long will never be heard of.
            var resumed = new SandboxRun(runId, run.Code, run.Runtime, SessionRules.MaxRunTimeout, ImmutableDictionary<string, string>.Empty);
            record(new FollowedRun(resumed, sandbox.Follow(runId), taints, static () => { }, new RecordedOutput(runs, accountId, runId)));
            LogResumed(runId, sandboxId);
        }

        return sandbox;
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Run {RunId} in sandbox {SandboxId} is followed again, from its beginning")]
    private partial void LogResumed(string runId, string sandboxId);
}
