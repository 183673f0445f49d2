using System.Collections.Concurrent;
using Cerver.Bench.Gateways;
using Cerver.Bench.Load;
using Cerver.Bench.Reports;

namespace Cerver.Bench.Search;

/// <summary>Fills a gateway with entries and searches them, and appends to gateways with and without an index.</summary>
internal sealed class SearchLoad(Workbench bench, string caseName)
{
    private const int EntriesPerRequest = 1_000;
    private const int FillingClients = 4;
    private const int AppendingClients = 32;
    private const int TextsPerClient = 200;
    private const int QueriesPerKind = 200;

    /// <summary>Of so many texts one is kept, to look for words that stand in an entry.</summary>
    private const int KeptTexts = 997;

    private readonly ConcurrentQueue<string[]> _said = new();

    private int Entries => bench.Options.Quick ? 20_000 : 1_000_000;

    /// <summary>How fast entries are appended with an index and without one, each client to a session of its own.</summary>
    public async Task MeasureAppendsAsync(Gateway indexed, Gateway plain, CancellationToken cancellationToken)
    {
        var duration = TimeSpan.FromSeconds(bench.Options.Quick ? 0.5 : 4);
        await using var with = await OpenAppendersAsync(indexed, cancellationToken);
        await using var without = await OpenAppendersAsync(plain, cancellationToken);
        List<double> withIndex = [], withoutIndex = [];
        for (var round = -1; round < bench.Rounds; round++)
        {
            var slower = await with.SendAsync(duration, cancellationToken);
            var faster = await without.SendAsync(duration, cancellationToken);

            // The first one warms up.
            if (round >= 0)
            {
                withIndex.Add(slower.PerSecond);
                withoutIndex.Add(faster.PerSecond);
            }
        }

        var bare = new Figure($"append without index, {AppendingClients} clients", "requests/s", withoutIndex);
        var rate = new Figure($"append with index, {AppendingClients} clients", "requests/s", withIndex);
        bench.Report.Add(caseName, bare);
        bench.Report.Add(caseName, rate);
        bench.Report.Add(caseName, Figure.Ratio(rate, bare, Bound.AtLeast(0.7)));
    }

    /// <summary>Appends the entries that are searched, 1,000 to each session.</summary>
    /// <returns>One of the sessions.</returns>
    public async Task<string> FillAsync(Gateway gateway, CancellationToken cancellationToken)
    {
        var sessions = await gateway.CreateTranscriptsAsync(Entries / EntriesPerRequest, cancellationToken);
        await Task.WhenAll(Enumerable.Range(0, FillingClients).Select(client => Task.Run(
            async () =>
            {
                var text = new SpokenText(seed: client);
                using var connection = await HttpConnection.OpenAsync(gateway.Endpoint, cancellationToken);
                for (var at = client; at < sessions.Count; at += FillingClients)
                {
                    string[][] texts = [.. Enumerable.Range(0, EntriesPerRequest).Select(_ => text.Next())];
                    foreach (var kept in texts.Where((_, number) => ((at * EntriesPerRequest) + number) % KeptTexts == 0))
                    {
                        _said.Enqueue(kept);
                    }

                    var body = SpokenText.Body(texts);
                    await connection.ExchangeAsync(gateway.Request("POST", $"/v2/sessions/{sessions[at]}/transcript", body), cancellationToken);
                }
            },
            cancellationToken)));
        return sessions[0];
    }

    /// <summary>How long searches take, beside a read of 20 entries, one client.</summary>
    public async Task MeasureSearchesAsync(Gateway gateway, string session, CancellationToken cancellationToken)
    {
        var text = new SpokenText(seed: 99);
        string[][] said = [.. _said];
        var order = new Random(5);
        string[] PairOf(string[] words) => [.. words.Skip(order.Next(words.Length - 1)).Take(2)];
        (string Name, Func<string> Query)[] kinds =
        [
            ("a common word", () => text.WordOf(0, 20)),
            ("a word of every thousandth entry", () => text.WordOf(1_000, 2_000)),
            ("a rare word", () => text.WordOf(20_000, SpokenText.Vocabulary)),
            ("two words that stand in an entry", () => string.Join(' ', PairOf(said[order.Next(said.Length)]))),
            ("a phrase of two common words", () => $"\"{text.WordOf(0, 10)} {text.WordOf(0, 10)}\""),
            ("two words that may stand in none", () => string.Join(' ', text.Next()[..2])),
            ("a phrase from an entry", () => $"\"{string.Join(' ', PairOf(said[order.Next(said.Length)]))}\""),
        ];
        var tail = await LoadGenerator.OpenAsync(gateway.Endpoint, [gateway.Request("GET", $"/v2/sessions/{session}?tail=20")], cancellationToken);
        await using var _ = tail;
        var searches = new List<Series>();
        try
        {
            foreach (var (name, query) in kinds)
            {
                IReadOnlyList<ReadOnlyMemory<byte>> requests =
                    [.. Enumerable.Range(0, QueriesPerKind).Select(_ => gateway.Request("GET", $"/v2/sessions/search?q={Uri.EscapeDataString(query())}"))];
                searches.Add(new(name, await LoadGenerator.OpenAsync(gateway.Endpoint, [requests], cancellationToken)));
            }

            await MeasureAsync(tail, searches, cancellationToken);
        }
        finally
        {
            foreach (var opened in searches)
            {
                await opened.Load.DisposeAsync();
            }
        }
    }

    private async Task MeasureAsync(LoadGenerator tail, List<Series> searches, CancellationToken cancellationToken)
    {
        var requests = bench.Options.Quick ? 20 : QueriesPerKind;
        List<double> tails = [], halves = [], slowest = [];
        for (var round = -1; round < bench.Rounds; round++)
        {
            var read = await tail.SendAsync(requests, cancellationToken);
            List<long> all = [];
            foreach (var search in searches)
            {
                var result = await search.Load.SendAsync(requests, cancellationToken);
                all.AddRange(result.Times);
                if (round >= 0)
                {
                    search.Results.Add(result);
                }
            }

            if (round >= 0)
            {
                var together = new LoadResult(TimeSpan.Zero, [.. all.Order()]);
                tails.Add(read.Milliseconds(0.5));
                halves.Add(together.Milliseconds(0.5));
                slowest.Add(together.Milliseconds(0.99));
            }
        }

        var bare = new Figure("tail of 20: median", "ms", tails);
        var half = new Figure("search, all kinds: median", "ms", halves, Bound.AtMost(10));
        bench.Report.Add(caseName, bare);
        bench.Report.Add(caseName, half);
        bench.Report.Add(caseName, new("search, all kinds: 99th percentile", "ms", slowest, Bound.AtMost(50)));
        bench.Report.Add(caseName, Figure.Ratio(half, bare));
        foreach (var search in searches)
        {
            bench.Report.Add(caseName, new($"{search.Name}: median", "ms", [.. search.Results.Select(static result => result.Milliseconds(0.5))], Bound.AtMost(10)));
            bench.Report.Add(caseName, new($"{search.Name}: 99th percentile", "ms", [.. search.Results.Select(static result => result.Milliseconds(0.99))], Bound.AtMost(50)));
        }
    }

    private static async Task<LoadGenerator> OpenAppendersAsync(Gateway gateway, CancellationToken cancellationToken)
    {
        var text = new SpokenText(seed: 7);
        var sessions = await gateway.CreateTranscriptsAsync(AppendingClients, cancellationToken);
        IReadOnlyList<ReadOnlyMemory<byte>> RequestsTo(string session) =>
            [.. Enumerable.Range(0, TextsPerClient).Select(_ => gateway.Request("POST", $"/v2/sessions/{session}/transcript", SpokenText.Body([text.Next()])))];
        return await LoadGenerator.OpenAsync(gateway.Endpoint, sessions.Select(RequestsTo), cancellationToken);
    }

    private sealed record Series(string Name, LoadGenerator Load)
    {
        public List<LoadResult> Results { get; } = [];
    }
}
