using Cerver.Grains.Storage;
using Cerver.Secrets;

namespace Cerver.Grains.Secrets.Audit;

/// <summary>What is the same in every database about listing accesses. Pure.</summary>
internal static class SecretAccessPages
{
    /// <summary>The file of the statement that reads the index which a list is in as one piece. A session has fewer accesses than a secret.</summary>
    public static string StatementOf(SecretAccessFilter filter) => filter switch
    {
        { SessionId: not null } => "list_by_session.sql",
        { Name: not null } => "list_by_name.sql",
        _ => "list.sql",
    };

    /// <summary>The page that consists of these rows, one more than asked for when there are more.</summary>
    public static SecretAccessPage PageOf(IReadOnlyList<(long Id, SecretAccess Access)> found, int limit) => new(
        [.. found.Take(limit).Select(static row => row.Access)],
        found.Count > limit ? new SecretAccessCursor(found[limit - 1].Access.At, found[limit - 1].Id) : null);

    /// <summary>The place in the order of time after which a list begins, in microseconds and with the number of the access there.</summary>
    public static (long At, long Id) PlaceOf(SecretAccessFilter filter)
    {
        // What lies before a time is what lies after the first place of that time, which no access has.
        var until = filter.Until is { } time ? UnixMicroseconds.Ceiling(time) : long.MaxValue;
        return filter.After is { } after && UnixMicroseconds.From(after.At) is var place && place < until ? (place, after.Number) : (until, 0);
    }

    /// <summary>The earliest time that an access of a list may have, in microseconds.</summary>
    public static long EarliestOf(SecretAccessFilter filter) => filter.Since is { } since ? UnixMicroseconds.Ceiling(since) : long.MinValue;
}
