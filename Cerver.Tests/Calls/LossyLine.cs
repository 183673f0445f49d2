using Cerver.Api.Calls;
using Cerver.Operations;
using Cerver.Sessions;
using Microsoft.Extensions.Logging.Abstractions;
using Orleans;
using Orleans.Core.Internal;
using Orleans.Runtime.Messaging;

namespace Cerver.Tests.Calls;

/// <summary>What happens to one attempt of a call.</summary>
internal enum Fault
{
    /// <summary>It is answered.</summary>
    None,

    /// <summary>It does not arrive.</summary>
    NotDelivered,

    /// <summary>It is carried out, and nobody hears of it.</summary>
    AnswerLost,

    /// <summary>Nobody waits for it any more, and it is carried out all the same, at any time.</summary>
    Late,

    /// <summary>It comes to another activation than the one before.</summary>
    ActivationGone,
}

/// <summary>The way that a test's calls take to a session.</summary>
internal class Line
{
    /// <summary>Makes a write.</summary>
    public virtual Task<Outcome<T>> WriteAsync<T>(ISessionGrain session, Operation? operation, Func<Operation?, Task<Outcome<T>>> write) => write(operation);
}

/// <summary>The way that the Api's calls take in a cluster, in which attempts get lost. One caller's.</summary>
/// <param name="faults">What happens to the attempts, one after the other and again from the first.</param>
internal sealed class LossyLine(Fault[] faults) : Line
{
    private readonly GrainCalls _calls = new(isCluster: true, new ImpatientTime(), NullLogger<GrainCalls>.Instance, CancellationToken.None);
    private int _attempts;

    /// <summary>Attempts that nobody waited for.</summary>
    public List<Task> Late { get; } = [];

    public override Task<Outcome<T>> WriteAsync<T>(ISessionGrain session, Operation? operation, Func<Operation?, Task<Outcome<T>>> write) =>
        _calls.WriteAsync(operation, (Line: this, session, write), static (call, name) => call.Line.CarryAsync(call.session, name, call.write));

    private async Task<Outcome<T>> CarryAsync<T>(ISessionGrain session, Operation? name, Func<Operation?, Task<Outcome<T>>> write)
    {
        switch (faults[_attempts++ % faults.Length])
        {
            case Fault.NotDelivered:
                throw new ConnectionFailedException("Not delivered.");
            case Fault.AnswerLost:
                await Record.ExceptionAsync(() => write(name));
                throw new TimeoutException("Not answered.");
            case Fault.Late:
                Late.Add(Record.ExceptionAsync(() => write(name)));
                throw new TimeoutException("Not answered in time.");
            case Fault.ActivationGone:
                await session.AsReference<IGrainManagementExtension>().DeactivateOnIdle();
                return await write(name);
            default:
                return await write(name);
        }
    }

    /// <summary>The system's clock, but that nobody pauses.</summary>
    private sealed class ImpatientTime : TimeProvider
    {
        private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(1);

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
            base.CreateTimer(callback, state, dueTime > TimeSpan.Zero && dueTime < LongestPause ? TimeSpan.Zero : dueTime, period);
    }
}
