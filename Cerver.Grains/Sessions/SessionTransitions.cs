using System.Diagnostics;
using Cerver.Errors;
using Cerver.Sessions;
using static Cerver.Sessions.SessionStatus;

namespace Cerver.Grains.Sessions;

/// <summary>What can happen to a session's status.</summary>
internal enum SessionTrigger
{
    /// <summary>Compute is attached: at creation, on resume, by a run or an input.</summary>
    Attach,

    /// <summary>Compute is released and the session stays.</summary>
    Pause,

    /// <summary>The sandbox went down by itself.</summary>
    LoseSandbox,

    /// <summary>The session is closed for good.</summary>
    End,
}

/// <summary>Every status change a session can make. Pure: no clock, no I/O.</summary>
internal static class SessionTransitions
{
    /// <summary>The status after a trigger.</summary>
    /// <exception cref="CerverException">The trigger is refused in this status.</exception>
    public static SessionStatus Next(SessionStatus status, SessionTrigger trigger) => (status, trigger) switch
    {
        (Idle, SessionTrigger.Attach) => Running,
        (Running, SessionTrigger.Pause) => Idle,
        (Running, SessionTrigger.LoseSandbox) => Idle,
        (Idle or Running, SessionTrigger.End) => Ended,

        // Repeating a request that already took effect is not an error.
        (Running, SessionTrigger.Attach) => Running,
        (Idle, SessionTrigger.Pause) => Idle,
        (Ended, SessionTrigger.End) => Ended,

        // The news may come after the session went on without that sandbox.
        (Idle, SessionTrigger.LoseSandbox) => Idle,
        (Ended, SessionTrigger.LoseSandbox) => Ended,

        (Ended, SessionTrigger.Attach) => throw new CerverException(CerverError.NotResumable, "An ended session cannot be resumed. Create a new one."),
        (Ended, SessionTrigger.Pause) => throw new CerverException(CerverError.SessionEnded, "The session has ended."),
        _ => throw new UnreachableException($"No rule for a session that is {status} on {trigger}."),
    };
}
