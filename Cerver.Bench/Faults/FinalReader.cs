using System.Collections.Immutable;
using System.Text.Json;
using Cerver.Bench.Histories;

namespace Cerver.Bench.Faults;

/// <summary>Reads everything that a gateway holds of a history when nothing changes any more.</summary>
/// <param name="target">The gateway.</param>
/// <param name="client">Makes the requests.</param>
/// <param name="history">Whose times are meant.</param>
/// <param name="prefix">What the names of the history's sessions begin with.</param>
/// <param name="sessions">The sessions with something in them.</param>
/// <param name="isLast">Whether an event is the last one of a session's stream.</param>
internal sealed class FinalReader(
    ICrashTarget target, GatewayClient client, HistoryRecorder history, string prefix, IReadOnlyList<string> sessions, Func<StreamEvent, bool> isLast)
{
    /// <summary>Reads sessions, transcripts, runs and streams.</summary>
    /// <param name="source">How to name this in a sentence.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    /// <exception cref="BenchException">Something cannot be read.</exception>
    public async Task<FinalState> ReadAsync(string source, CancellationToken cancellationToken)
    {
        var hosts = await target.ReadHostsAsync(cancellationToken);
        var logs = new List<FinalLog>();
        var runs = new List<FinalRun>();
        var streams = new List<FinalStream>();
        foreach (var session in sessions)
        {
            var record = await client.ReadAsync($"/v2/sessions/{session}?full=1", cancellationToken);
            var (total, entries) = Reader.Read(record);
            logs.Add(new(session, total, entries));
            runs.AddRange(await ReadRunsAsync(session, hosts, cancellationToken));
            streams.Add(new(session, await ReadEventsAsync($"/v2/sessions/{session}/stream", isLast, cancellationToken)));
        }

        return new(source, await ReadSessionsAsync(cancellationToken), [.. logs], [.. runs], [.. streams]);
    }

    /// <summary>Reads the transcripts as they are exported; null when the gateway exports nothing.</summary>
    /// <param name="source">How to name this in a sentence.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    public async Task<FinalState?> ReadExportAsync(string source, CancellationToken cancellationToken)
    {
        var logs = new List<FinalLog>();
        foreach (var session in sessions)
        {
            if (await client.ReadLinesAsync($"/v2/sessions/{session}/export?format=jsonl", cancellationToken) is not { } lines)
            {
                return null;
            }

            var entries = lines.Select(EntryOf).OfType<LogEntry>().ToImmutableArray();
            logs.Add(new(session, entries.Length, entries));
        }

        return new(source, Sessions: null, [.. logs], Runs: null, Streams: null);
    }

    private async Task<ImmutableArray<FinalSession>> ReadSessionsAsync(CancellationToken cancellationToken)
    {
        var found = await ReadPagesAsync("/v2/sessions", "sessions", cancellationToken);
        return
        [
            .. found
                .Where(session => Text(session, "session_name").StartsWith(prefix, StringComparison.Ordinal))
                .Select(session => new FinalSession(
                    Text(session, "session_id"), Text(session, "session_name"), Text(session, "status"), session.GetRawText())),
        ];
    }

    private async Task<IReadOnlyList<FinalRun>> ReadRunsAsync(
        string session, IReadOnlyDictionary<string, string> hosts, CancellationToken cancellationToken)
    {
        var runs = new List<FinalRun>();
        foreach (var run in await ReadPagesAsync($"/v2/sessions/{session}/runs", "runs", cancellationToken))
        {
            var id = Text(run, "run_id");
            int? exitCode = run.GetProperty("exit_code") is { ValueKind: JsonValueKind.Number } code ? code.GetInt32() : null;

            TimeSpan? ended = run.GetProperty("ended_at") is { ValueKind: JsonValueKind.String } at ? history.TimeOf(at.GetDateTimeOffset()) : null;

            // A run that is left running has no end to wait for.
            var events = Text(run, "status") == "running"
                ? []
                : await ReadEventsAsync($"/v2/sessions/{session}/runs/{id}/stream", isLast: null, cancellationToken);
            runs.Add(new(session, id, Text(run, "code"), Text(run, "status"), exitCode, ended, events, hosts.GetValueOrDefault(id)));
        }

        return runs;
    }

    /// <summary>Reads events up to the last one; without a rule for that, to the end of the stream.</summary>
    private async Task<ImmutableArray<StreamEvent>> ReadEventsAsync(
        string path, Func<StreamEvent, bool>? isLast, CancellationToken cancellationToken)
    {
        var events = ImmutableArray.CreateBuilder<StreamEvent>();
        using var response = await client.OpenAsync(HttpMethod.Get, path, body: null, key: null, after: -1, cancellationToken);
        if (!response.IsSuccessStatusCode)
        {
            throw new BenchException($"{path} answered {(int)response.StatusCode}.");
        }

        await foreach (var read in client.EventsOf(response).ReadAsync(cancellationToken))
        {
            events.Add(read);
            if (isLast?.Invoke(read) == true)
            {
                break;
            }
        }

        return events.ToImmutable();
    }

    private async Task<IReadOnlyList<JsonElement>> ReadPagesAsync(string path, string name, CancellationToken cancellationToken)
    {
        var items = new List<JsonElement>();
        string? cursor = null;
        do
        {
            var page = await client.ReadAsync(
                cursor is null ? $"{path}?limit=200" : $"{path}?limit=200&cursor={Uri.EscapeDataString(cursor)}", cancellationToken);
            items.AddRange(page.GetProperty(name).EnumerateArray());
            cursor = page.GetProperty("next_cursor").GetString();
        }
        while (cursor is not null);
        return items;
    }

    /// <summary>A line of an export as an entry; null for one that is about the session.</summary>
    private static LogEntry? EntryOf(string line)
    {
        using var json = JsonDocument.Parse(line);
        return json.RootElement.TryGetProperty("role", out _) ? EventData.EntryOf(json.RootElement) : null;
    }

    private static string Text(JsonElement json, string name) => json.GetProperty(name).GetString() ?? string.Empty;
}
