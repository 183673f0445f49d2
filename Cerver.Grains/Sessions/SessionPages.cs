using System.Text.Json;
using Cerver.Grains.Storage;
using Cerver.Sessions;

namespace Cerver.Grains.Sessions;

/// <summary>What is the same in every database about reading sessions in parts. Pure.</summary>
internal static class SessionPages
{
    /// <summary>Entries of one page of a transcript.</summary>
    public const int MaxEntries = 1000;

    /// <summary>About how many bytes one page of a transcript has.</summary>
    public const int MaxBytes = 1024 * 1024;

    /// <summary>Rows that an erasure removes with one commit: at most 16 KiB of output or, rarely, 1 MiB of content each.</summary>
    public const int ErasedAtOnce = 256;

    /// <summary>The position of the first entry of a slice.</summary>
    public static long FirstOf(TranscriptSlice slice, long total) => slice switch
    {
        { Tail: { } tail } => Math.Max(0, total - tail),
        { Since: { } since } => Math.Min(since, total),
        _ => 0,
    };

    /// <summary>A page of a list, for which one session more than wanted was looked for.</summary>
    public static SessionList ListOf(ImmutableArray<SessionRecord> found, int limit) => found.Length <= limit
        ? new SessionList(found, Next: null)
        : new SessionList(found[..limit], new SessionCursor(found[limit - 1].UpdatedAt, found[limit - 1].SessionId));

    /// <summary>The place in the order of activity after which a list begins, in microseconds and with the id of the session there.</summary>
    public static (long UpdatedAt, string SessionId) PlaceOf(SessionFilter filter)
    {
        // What lies before a time is what lies after the first place of that time, which no session has.
        var until = filter.Until is { } time ? UnixMicroseconds.Ceiling(time) : long.MaxValue;
        return filter.After is { } after && UnixMicroseconds.From(after.UpdatedAt) is var place && place < until ? (place, after.SessionId) : (until, "");
    }

    /// <summary>The earliest last activity that a session of a list may have, in microseconds.</summary>
    public static long EarliestOf(SessionFilter filter) => filter.Since is { } since ? UnixMicroseconds.Ceiling(since) : long.MinValue;

    /// <summary>The <c>source</c> that callers note in the metadata and filter lists by.</summary>
    public static string? SourceOf(string? metadata)
    {
        if (metadata is null || !metadata.Contains("\"source\"", StringComparison.Ordinal))
        {
            return null;
        }

        using var document = JsonDocument.Parse(metadata);
        return document.RootElement.TryGetProperty("source", out var source) && source.ValueKind == JsonValueKind.String
            ? source.GetString()
            : null;
    }
}
