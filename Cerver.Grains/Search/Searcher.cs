using Cerver.Errors;
using Cerver.Search;
using Microsoft.Extensions.Options;

namespace Cerver.Grains.Search;

/// <summary>
/// Searches the transcripts of an account. The newest few thousand matches are ranked; what is beyond them comes with the next pages. When no entry has all that was
/// looked for, those are found that have the rarest and the most of it, see <see cref="RelaxedQuery"/>: in themselves, in the names of their sessions, or around them.
/// </summary>
internal sealed class Searcher(ISearchStore store, IOptions<SearchOptions> options, TimeProvider time)
{
    /// <summary>How many matches are ranked at once, when they are found soon.</summary>
    private const int RankedMatches = 2_000;

    /// <summary>Of how many of these the texts are read to rank them.</summary>
    private const int ReadMatches = 100;

    /// <summary>How many of the newest entries with one of the words are looked at when none has all.</summary>
    private const int MatchesOfWord = 300;

    /// <summary>How long may be looked for one word after the other. Those that are left then tell nothing.</summary>
    private static readonly TimeSpan AllWords = TimeSpan.FromMilliseconds(500);

    /// <summary>How far an entry may be from one that has a word which it has not itself.</summary>
    private const int NearbyEntries = 2;

    /// <summary>How much of a text is looked at for its snippet: about as many characters as the words that are searched have.</summary>
    private const int SnippetCharacters = 100_000;

    /// <summary>A page of what was found.</summary>
    /// <exception cref="CerverException">
    /// <see cref="CerverError.InvalidRequest"/> when there is nothing to look for, or it takes too long; <see cref="CerverError.NotFound"/> when there is no index.
    /// </exception>
    public Task<SearchPage> SearchAsync(string accountId, SearchRequest request, CancellationToken cancellationToken)
    {
        if (!options.Value.Enabled)
        {
            throw new CerverException(CerverError.NotFound, "This gateway has no search: its operator has switched off Cerver:Search:Enabled.");
        }

        var query = SearchQueryParser.Parse(request.Query);
        return request.Since >= request.Until
            ? Task.FromResult(new SearchPage([], Next: null, MatchedAll: true))
            : store.SearchAsync(new SearchScope(accountId, request), reader => SearchAsync(reader, query, request), cancellationToken);
    }

    private async Task<SearchPage> SearchAsync(ISearchReader reader, SearchQuery query, SearchRequest request)
    {
        var end = Math.Min(request.After?.Newest ?? reader.End, reader.End);
        var relaxed = RelaxedQuery.Of(query);
        if (request.After is not { MatchedAll: false })
        {
            var window = await SearchWindow.CollectAsync(reader, query, end, RankedMatches, ReadMatches, time);
            var isAllThereIs = query.Required.Length == 1 && relaxed.Wanted.Count() == query.Wanted.Count();
            if (window.Candidates.Count > 0 || window.Rest > 0 || request.After is not null || isAllThereIs)
            {
                return await PageAsync(new Ranked(reader, query, window, [.. query.Required.Select(static _ => 1.0)], Sort(window.Candidates)), request, end, matchedAll: true);
            }
        }

        return await PageAsync(await FindAnyAsync(reader, relaxed, end), request, end, matchedAll: false);
    }

    /// <summary>Entries with one of the groups at least. How rare a group is tells how far back its newest matches go.</summary>
    private async Task<Ranked> FindAnyAsync(ISearchReader reader, SearchQuery query, long end)
    {
        var weights = new List<double>();
        var found = new Dictionary<long, Partial>();
        var began = time.GetTimestamp();
        foreach (var group in query.Required)
        {
            if (time.GetElapsedTime(began) >= AllWords)
            {
                weights.Add(0);
                continue;
            }

            var window = await SearchWindow.CollectAsync(reader, query with { Required = [group] }, end, MatchesOfWord, ReadMatches, time);
            var bit = 1UL << weights.Count;
            weights.Add(window.Candidates.Count == 0 ? 0 : Math.Log(1 + ((double)(end - window.Rest) / window.Candidates.Count)));
            foreach (var candidate in window.Candidates)
            {
                found[candidate.Number] = new Partial(candidate, bit | found.GetValueOrDefault(candidate.Number).Groups);
            }
        }

        if (query.Required.Length > 1 && time.GetElapsedTime(began) < AllWords)
        {
            // Those with all of the relaxed query may be older than the newest of each word.
            var window = await SearchWindow.CollectAsync(reader, query, end, MatchesOfWord, ReadMatches, time);
            foreach (var candidate in window.Candidates)
            {
                found[candidate.Number] = new Partial(candidate, (1UL << weights.Count) - 1);
            }
        }

        var nearby = NearbyOf(found.Values);
        var order = found.Values
            .OrderByDescending(match => SearchRanking.Guess(match.Candidate, match.Groups, nearby[match.Candidate.Number], weights))
            .ThenByDescending(static match => match.Candidate.Number)
            .Select(static match => match.Candidate)
            .ToList();
        return new Ranked(reader, query, new SearchWindow(order, Rest: 0), weights, order) { Nearby = nearby };
    }

    /// <summary>The groups that entries around each one have, by its number.</summary>
    private static Dictionary<long, ulong> NearbyOf(IReadOnlyCollection<Partial> matches)
    {
        var places = matches.ToDictionary(static match => (match.Candidate.SessionId, match.Candidate.Position), static match => match.Groups);
        return matches.ToDictionary(static match => match.Candidate.Number, match =>
        {
            var groups = 0UL;
            for (var distance = -NearbyEntries; distance <= NearbyEntries; distance++)
            {
                groups |= places.GetValueOrDefault((match.Candidate.SessionId, match.Candidate.Position + distance));
            }

            return groups;
        });
    }

    private static List<SearchCandidate> Sort(IReadOnlyList<SearchCandidate> candidates) =>
        [.. candidates.OrderByDescending(SearchRanking.Guess).ThenByDescending(static candidate => candidate.At)];

    private static async Task<SearchPage> PageAsync(Ranked ranked, SearchRequest request, long end, bool matchedAll)
    {
        var taken = request.After?.Taken ?? 0;
        var best = await ScoreAsync(ranked, ranked.Order.Take(ReadMatches).ToList());
        best.Sort(CompareBest);
        if (!matchedAll)
        {
            PutRepetitionsBack(best);
        }

        var page = best.Skip(taken).Take(request.Limit).ToList();
        if (taken + request.Limit > best.Count)
        {
            // The texts of the others were not looked at to rank them, so none of them is better than those.
            var rest = await ScoreAsync(ranked, ranked.Order.Skip(Math.Max(ReadMatches, taken)).Take(request.Limit - page.Count).ToList());
            var worst = best.Count == 0 ? 1 : best[^1].Score;
            page.AddRange(rest.Select(found => found with { Score = Math.Min(worst, found.Score) }));
        }

        var next = taken + request.Limit < ranked.Order.Count ? new SearchCursor(end, taken + request.Limit, matchedAll)
            : ranked.Window.Rest > 0 ? new SearchCursor(ranked.Window.Rest, Taken: 0, matchedAll)
            : null;
        return new SearchPage(await ShowAsync(ranked, page), next, matchedAll);
    }

    private static async Task<List<Scored>> ScoreAsync(Ranked ranked, List<SearchCandidate> candidates)
    {
        if (candidates.Count == 0)
        {
            return [];
        }

        var entries = (await ranked.Reader.ReadAsync(candidates, SearchRanking.HeadCharacters)).ToDictionary(static entry => (entry.SessionId, entry.Position));
        var scored = new List<Scored>(candidates.Count);
        foreach (var candidate in candidates)
        {
            if (entries.TryGetValue((candidate.SessionId, candidate.Position), out var entry))
            {
                var text = SearchText.Of(entry.Entry);
                scored.Add(new Scored(candidate, entry, text, Math.Round(SearchRanking.Score(entry, text, ranked.Query, ranked.Weights, ranked.Nearby.GetValueOrDefault(candidate.Number)), 2)));
            }
        }

        return scored;
    }

    private static int CompareBest(Scored left, Scored right) =>
        left.Score != right.Score ? right.Score.CompareTo(left.Score) : right.Candidate.At.CompareTo(left.Candidate.At);

    /// <summary>Of entries that say nearly the same the best is enough for a first look: what says something else comes before the others.</summary>
    private static void PutRepetitionsBack(List<Scored> best)
    {
        var seen = new List<Likeness>(best.Count);
        for (var i = 0; i < best.Count; i++)
        {
            var likeness = Likeness.Of(best[i].Text);
            best[i] = best[i] with { Score = Math.Round(SearchRanking.Repeated(best[i].Score, seen.Count(likeness.IsAlike)), 2) };
            seen.Add(likeness);
        }

        best.Sort(CompareBest);
    }

    private static async Task<ImmutableArray<SearchHit>> ShowAsync(Ranked ranked, List<Scored> page)
    {
        var cut = page.Where(static found => IsCut(found.Entry)).Select(static found => found.Candidate).ToList();
        var whole = cut.Count == 0
            ? []
            : (await ranked.Reader.ReadAsync(cut, SnippetCharacters)).ToDictionary(static entry => (entry.SessionId, entry.Position), static entry => SearchText.Of(entry.Entry));
        return ImmutableArray.CreateRange(page.Select(found =>
        {
            var text = whole.GetValueOrDefault((found.Entry.SessionId, found.Entry.Position), found.Text);
            var entry = found.Entry.Entry;
            var snippet = Snippet.Of(text, SearchMatches.In(text, ranked.Query, SnippetCharacters));
            return new SearchHit(found.Entry.SessionId, found.Entry.SessionName, found.Entry.Position, entry.At!.Value, entry.Role, entry.Kind, snippet, found.Score);
        }));
    }

    private static bool IsCut(FoundEntry found) =>
        found.Entry.Content?.Length >= SearchRanking.HeadCharacters || found.Entry.ToolInput?.Length >= SearchRanking.HeadCharacters;

    private sealed record Ranked(
        ISearchReader Reader, SearchQuery Query, SearchWindow Window, IReadOnlyList<double> Weights, IReadOnlyList<SearchCandidate> Order)
    {
        /// <summary>The groups that entries around each one have, by its number.</summary>
        public Dictionary<long, ulong> Nearby { get; init; } = [];
    }

    /// <summary>An entry with some of what was looked for.</summary>
    /// <param name="Candidate">The entry.</param>
    /// <param name="Groups">The groups of the query that it has, a bit each; a query has at most 32.</param>
    private readonly record struct Partial(SearchCandidate Candidate, ulong Groups);

    private sealed record Scored(SearchCandidate Candidate, FoundEntry Entry, string Text, double Score);
}
