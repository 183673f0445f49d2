using Cerver.Computes;
using Cerver.Sessions;

namespace Cerver.Grains.Sessions;

/// <summary>When a session has been left alone for so long that its sandbox goes down. Pure: no clock, no I/O.</summary>
internal static class SessionIdleness
{
    /// <summary>Below this, asking again would be all that happens.</summary>
    private static readonly TimeSpan Shortest = TimeSpan.FromMilliseconds(50);

    /// <summary>How long the sandbox stays up if nothing happens any more; zero when it is time to take it down.</summary>
    /// <param name="session">The session. Its <see cref="SessionRecord.UpdatedAt"/> is what a user would call its last activity.</param>
    /// <param name="going">How many runs are going on.</param>
    /// <param name="usual">The time-out of sessions that ask for none.</param>
    /// <param name="now">The time.</param>
    public static TimeSpan Left(SessionRecord session, int going, TimeSpan usual, DateTimeOffset now)
    {
        var timeout = ComputeRequirements.Parse(session.Requirements).IdleTimeout ?? usual;

        // The end of a run is activity, so the time-out can be over one time-out from now at the earliest.
        var left = going > 0 ? timeout : session.UpdatedAt + timeout - now;
        if (left <= TimeSpan.Zero)
        {
            return TimeSpan.Zero;
        }

        // The clock may have been set back since.
        return left < Shortest ? Shortest : left < timeout ? left : timeout;
    }
}
