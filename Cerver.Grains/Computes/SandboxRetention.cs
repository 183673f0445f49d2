using Cerver.Sessions;

namespace Cerver.Grains.Computes;

/// <summary>How long the files of a sandbox that is down are still kept. Pure: no clock, no I/O.</summary>
internal static class SandboxRetention
{
    /// <summary>Below this there is no point in waiting for the rest separately.</summary>
    private static readonly TimeSpan Shortest = TimeSpan.FromSeconds(1);

    /// <summary>How long the files stay if nothing happens any more; zero when it is time to remove them.</summary>
    /// <param name="session">The session that the sandbox was made for, as it is on disk, or null when it was erased.</param>
    /// <param name="sandboxId">The sandbox.</param>
    /// <param name="downSince">When the sandbox was last taken down, or null when it never was on purpose.</param>
    /// <param name="retention">How long files are kept.</param>
    /// <param name="now">The time.</param>
    public static TimeSpan Left(SessionRecord? session, string sandboxId, DateTimeOffset? downSince, TimeSpan retention, DateTimeOffset now)
    {
        if (session?.SandboxId != sandboxId)
        {
            return TimeSpan.Zero;
        }

        // It went down with the process a moment ago, and the session was not told yet.
        if (session.Status == SessionStatus.Running)
        {
            return retention;
        }

        var idleSince = downSince > session.UpdatedAt ? downSince.Value : session.UpdatedAt;
        var left = idleSince + retention - now;
        return left < Shortest ? TimeSpan.Zero : left < retention ? left : retention;
    }
}
