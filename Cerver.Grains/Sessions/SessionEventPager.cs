using Cerver.Errors;
using Cerver.Runs;
using Cerver.Sessions;

namespace Cerver.Grains.Sessions;

/// <summary>What an event is that is no entry. The numbers are stored.</summary>
internal enum SessionEventKind
{
    /// <summary>The status changed.</summary>
    Status = 1,

    /// <summary>A run began.</summary>
    RunBegan = 2,

    /// <summary>A run printed something.</summary>
    Output = 3,

    /// <summary>A run is over.</summary>
    RunEnded = 4,
}

/// <summary>An event that is no entry, as it is stored.</summary>
/// <param name="Position">Its place in the order of everything that happened in the session.</param>
/// <param name="Length">How many places it takes: output takes one for each chunk.</param>
/// <param name="Entries">How many entries come before it.</param>
/// <param name="Kind">What it is.</param>
/// <param name="RunId">The run, if it is about one.</param>
/// <param name="Sequence">The sequence number of its first chunk, if it is output.</param>
/// <param name="Status">The status from then on, if that changed.</param>
/// <param name="EndReason">Why the session ended, if it did.</param>
internal readonly record struct SessionEventRow(
    long Position, long Length, long Entries, SessionEventKind Kind, string? RunId, long Sequence, SessionStatus Status, string? EndReason);

/// <summary>The rows that a page of events needs beside those of the events themselves, all from the same snapshot.</summary>
internal interface ISessionEventDetails
{
    /// <summary>Entries of the transcript from a position on, at least one. None means that no more were read ahead: the page ends there.</summary>
    /// <exception cref="CerverException"><see cref="CerverError.StorageUnavailable"/>: the transcript has a hole.</exception>
    ImmutableArray<TranscriptEntry> ReadEntries(long first, long limit, int maxBytes);

    /// <summary>A run that is over, without its code.</summary>
    RunRecord FindEnd(string runId);

    /// <summary>The chunks of a run that are there between two sequence numbers, both included.</summary>
    IEnumerable<RunChunk> ReadOutput(string runId, long first, long last);
}

/// <summary>Puts entries and other events of a session in their order, until the page is full. No I/O of its own.</summary>
/// <param name="details">What it asks for what it needs.</param>
/// <param name="from">The position of the first event wanted.</param>
/// <param name="entries">How many entries come before that.</param>
internal sealed class SessionEventPager(ISessionEventDetails details, long from, long entries)
{
    /// <summary>Events of a page.</summary>
    public const int PageEvents = 500;

    /// <summary>About how many bytes of content a page has.</summary>
    public const int PageBytes = 512 * 1024;

    private readonly ImmutableArray<SessionEvent>.Builder _events = ImmutableArray.CreateBuilder<SessionEvent>();
    private long _next = from;
    private long _entries = entries;
    private int _bytes;
    private bool _isUsedUp;

    /// <summary>Whether nothing more goes into the page.</summary>
    public bool IsFull => _isUsedUp || _events.Count >= PageEvents || _bytes >= PageBytes;

    /// <summary>A hole in a transcript, which only damage can make.</summary>
    public static CerverException Hole() =>
        new(CerverError.StorageUnavailable, "The transcript has a hole; the gateway's operator must look at its database.");

    /// <summary>From where on events must be read for a position, and how many entries come before the position.</summary>
    /// <param name="from">The position.</param>
    /// <param name="before">The last event that begins at or before it, or null when there is none.</param>
    public static (long Position, long Entries) FindStart(long from, (long Position, long Length, long Entries)? before) => before switch
    {
        null => (from, from),
        var (position, length, entries) when from < position + length => (position, entries),
        var (position, length, entries) => (from, from - (position - entries + length)),
    };

    /// <summary>The events that come with a change, after its entries, in their order. Their positions are not known yet.</summary>
    public static IEnumerable<SessionEventRow> EventsOf(SessionChange change)
    {
        var (session, changesStatus) = (change.Next, change.ChangesStatus);
        var status = new SessionEventRow(0, Length: 1, 0, SessionEventKind.Status, RunId: null, 0, session.Status, session.EndReason);

        // A session is running before a run begins in it, and anything else only after its runs have ended.
        if (changesStatus && session.Status == SessionStatus.Running)
        {
            yield return status;
        }

        if (change.Started is { } run)
        {
            yield return new(0, Length: 1, 0, SessionEventKind.RunBegan, run.RunId, 0, default, EndReason: null);
        }

        foreach (var ended in change.Ended)
        {
            yield return new(0, Length: 1, 0, SessionEventKind.RunEnded, ended.RunId, 0, default, EndReason: null);
        }

        if (changesStatus && session.Status != SessionStatus.Running)
        {
            yield return status;
        }
    }

    /// <summary>Adds an event with the entries before it. Events come in their order.</summary>
    public void Add(SessionEventRow row)
    {
        AddEntries(row.Entries);

        // Entries that did not fit come before this, so it does not fit either.
        if (IsFull)
        {
            return;
        }

        switch (row.Kind)
        {
            case SessionEventKind.Status:
                Add(new StatusChanged(_next, row.Status, row.EndReason), bytes: 64);
                break;
            case SessionEventKind.RunBegan:
                Add(new RunBegan(_next, row.RunId!), bytes: 64);
                break;
            case SessionEventKind.RunEnded:
                Add(new RunEnded(_next, details.FindEnd(row.RunId!)), bytes: 256);
                break;
            case SessionEventKind.Output:
                // The page may begin within it.
                AddOutput(row);
                break;
            default:
                throw new InvalidOperationException($"There is an event of an unknown kind at {row.Position}.");
        }
    }

    /// <summary>Adds the entries after the last event, and gives the page.</summary>
    /// <param name="entries">How many entries the transcript has.</param>
    /// <param name="events">How many other events the session has.</param>
    public SessionEventPage End(long entries, long events)
    {
        AddEntries(entries);
        return new SessionEventPage(entries + events, _events.ToImmutable());
    }

    private void AddEntries(long upTo)
    {
        while (_entries < upTo && !IsFull)
        {
            var part = details.ReadEntries(_entries, Math.Min(upTo - _entries, PageEvents - _events.Count), PageBytes - _bytes);
            _isUsedUp = part.IsEmpty;
            foreach (var entry in part)
            {
                Add(new EntryAdded(_next, _entries++, entry), SessionEntries.SizeOf(entry));
            }
        }
    }

    private void AddOutput(SessionEventRow row)
    {
        foreach (var chunk in details.ReadOutput(row.RunId!, row.Sequence + (_next - row.Position), row.Sequence + row.Length - 1))
        {
            // A chunk that is gone leaves its place empty, and everything else where it was.
            _next = row.Position + (chunk.Sequence - row.Sequence);
            Add(new RunPrinted(_next, row.RunId!, chunk), chunk.Data.Length);
            if (IsFull)
            {
                return;
            }
        }

        _next = row.Position + row.Length;
    }

    private void Add(SessionEvent added, int bytes)
    {
        _events.Add(added);
        _bytes += bytes;
        _next++;
    }
}
