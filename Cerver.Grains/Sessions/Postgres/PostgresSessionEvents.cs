using Cerver.Grains.Runs.Postgres;
using Cerver.Grains.Storage.Postgres;
using Cerver.Runs;
using Cerver.Sessions;
using Npgsql;

namespace Cerver.Grains.Sessions.Postgres;

/// <summary>
/// Reads what happened in a session. What a page needs is read ahead with a few statements, because each costs a way to the server: the events and the entries
/// between them, then the output and the ends of runs that they tell of.
/// </summary>
internal sealed class PostgresSessionEvents : ISessionEventDetails
{
    private readonly List<TranscriptEntry> _entries = [];
    private readonly Dictionary<string, RunRecord> _ends = new(StringComparer.Ordinal);
    private readonly ILookup<string, RunChunk> _output;
    private readonly long _firstEntry;

    private PostgresSessionEvents(long firstEntry, ImmutableArray<TranscriptEntry> entries, ImmutableArray<(string RunId, RunChunk Chunk)> output, ImmutableArray<RunRecord> ends)
    {
        _firstEntry = firstEntry;
        _entries.AddRange(entries);
        _output = output.ToLookup(static chunk => chunk.RunId, static chunk => chunk.Chunk, StringComparer.Ordinal);
        foreach (var end in ends)
        {
            _ends.Add(end.RunId, end);
        }
    }

    /// <summary>What happened from a position on, or null when the account has no such session.</summary>
    public static async Task<SessionEventPage?> ReadAsync(
        PostgresQueries queries, string accountId, string sessionId, long from, CancellationToken cancellationToken)
    {
        (long Entries, long Events)? head;
        (long Position, long Length, long Entries)? before;
        await using (var rows = await queries.RunAsync(
            cancellationToken,
            new PostgresStatement("Sessions/Postgres/event_head.sql").Text(accountId).Text(sessionId),
            new PostgresStatement("Sessions/Postgres/find_event.sql").Text(sessionId).Number(from)))
        {
            head = await rows.ReadOneAsync<(long, long)?>(static row => (row.GetInt64(0), row.GetInt64(1)), cancellationToken);
            await rows.NextResultAsync(cancellationToken);
            before = await rows.ReadOneAsync<(long, long, long)?>(static row => (row.GetInt64(0), row.GetInt64(1), row.GetInt64(2)), cancellationToken);
        }

        if (head is not { } known)
        {
            return null;
        }

        var (position, entries) = SessionEventPager.FindStart(from, before);
        ImmutableArray<SessionEventRow> events;
        ImmutableArray<TranscriptEntry> transcript;
        await using (var rows = await queries.RunAsync(
            cancellationToken,
            new PostgresStatement("Sessions/Postgres/read_events.sql").Text(sessionId).Number(position).Number(SessionEventPager.PageEvents),
            new PostgresStatement("Sessions/Postgres/read_entries.sql").Text(sessionId).Number(entries).Number(SessionEventPager.PageEvents)
                .Number(SessionEventPager.PageBytes)))
        {
            events = await rows.ReadAllAsync(ReadEvent, cancellationToken);
            await rows.NextResultAsync(cancellationToken);
            transcript = await rows.ReadAllAsync(PostgresTranscript.ReadEntry, cancellationToken);
        }

        if (transcript.IsEmpty && entries < known.Entries)
        {
            throw SessionEventPager.Hole();
        }

        var (output, ends) = await ReadRunsAsync(queries, accountId, sessionId, from, events, cancellationToken);
        var page = new SessionEventPager(new PostgresSessionEvents(entries, transcript, output, ends), from, entries);
        foreach (var row in events)
        {
            page.Add(row);
        }

        return page.End(known.Entries, known.Events);
    }

    /// <inheritdoc/>
    public ImmutableArray<TranscriptEntry> ReadEntries(long first, long limit, int maxBytes)
    {
        var part = _entries.Skip((int)(first - _firstEntry)).Take((int)limit);
        var bytes = 0;
        return [.. part.TakeWhile(entry =>
        {
            var fits = bytes < maxBytes;
            bytes += SessionEntries.SizeOf(entry);
            return fits;
        })];
    }

    /// <inheritdoc/>
    public RunRecord FindEnd(string runId) => _ends[runId];

    /// <inheritdoc/>
    public IEnumerable<RunChunk> ReadOutput(string runId, long first, long last) =>
        _output[runId].SkipWhile(chunk => chunk.Sequence < first).TakeWhile(chunk => chunk.Sequence <= last);

    /// <summary>As much as fits into a page, also when there were nothing else in it.</summary>
    private static async Task<(ImmutableArray<(string RunId, RunChunk Chunk)> Output, ImmutableArray<RunRecord> Ends)> ReadRunsAsync(
        PostgresQueries queries, string accountId, string sessionId, long from, ImmutableArray<SessionEventRow> events, CancellationToken cancellationToken)
    {
        var printed = events.Where(static row => row.Kind == SessionEventKind.Output).ToList();
        var ended = events.Where(static row => row.Kind == SessionEventKind.RunEnded).Select(static row => row.RunId!).ToList();
        if (printed.Count == 0 && ended.Count == 0)
        {
            return ([], []);
        }

        await using var rows = await queries.RunAsync(
            cancellationToken,
            new PostgresStatement("Runs/Postgres/read_output_parts.sql").Text(accountId)
                .Texts(printed.Select(static row => row.RunId!))
                .Numbers(printed.Select(row => row.Sequence + Math.Max(0, from - row.Position)))
                .Numbers(printed.Select(static row => row.Sequence + row.Length - 1))
                .Number(SessionEventPager.PageBytes).Number(SessionEventPager.PageEvents),
            new PostgresStatement("Runs/Postgres/find_ends.sql").Text(accountId).Text(sessionId).Texts(ended));
        var output = await rows.ReadAllAsync(static row => (row.Text(0), PostgresRunStore.ReadChunk(row, first: 1)), cancellationToken);
        await rows.NextResultAsync(cancellationToken);
        return (output, await rows.ReadAllAsync(PostgresRunStore.ReadRecord, cancellationToken));
    }

    private static SessionEventRow ReadEvent(NpgsqlDataReader rows) => new(
        rows.GetInt64(0), rows.GetInt64(1), rows.GetInt64(2), (SessionEventKind)rows.GetInt16(3), rows.TextOrNull(4), rows.NumberOrNull(5) ?? 0,
        rows.IsDBNull(6) ? default : (SessionStatus)rows.GetInt16(6), rows.TextOrNull(7));
}
