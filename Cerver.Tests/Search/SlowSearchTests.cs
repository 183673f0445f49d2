using Cerver.Grains.Search;
using Cerver.Search;
using Cerver.Tests.Storage;
using Microsoft.Extensions.Time.Testing;

namespace Cerver.Tests.Search;

/// <summary>How long a search looks when every step of it takes long.</summary>
public sealed class SlowSearchTests
{
    private readonly FakeTimeProvider _time = new();
    private readonly SlowIndex _index;

    public SlowSearchTests()
    {
        _index = new SlowIndex(_time);
    }

    [Fact]
    public async Task A_search_ends_early_with_a_place_to_go_on_from()
    {
        var page = await SearchAsync("rare");

        Assert.Empty(page.Hits);
        Assert.Equal(new SearchCursor(_index.Lowest, Taken: 0, MatchedAll: true), page.Next);
        Assert.InRange(_index.Took, TimeSpan.FromMilliseconds(250), TimeSpan.FromMilliseconds(350));
    }

    [Fact]
    public async Task A_question_of_many_words_takes_no_longer_than_a_second()
    {
        _index.End = SearchMarks.BlockEntries;

        var page = await SearchAsync(string.Join(' ', Enumerable.Range(0, 32).Select(number => $"word{number}")));

        Assert.False(page.MatchedAll);
        Assert.InRange(_index.Took, TimeSpan.FromMilliseconds(500), TimeSpan.FromSeconds(1));
    }

    [Fact]
    public async Task A_cursor_beyond_the_newest_entry_is_the_newest_entry()
    {
        await SearchAsync("rare", new SearchCursor(long.MaxValue, Taken: 0, MatchedAll: true));

        Assert.Equal(_index.End, _index.Highest);
    }

    private Task<SearchPage> SearchAsync(string query, SearchCursor? after = null) =>
        new Searcher(_index, TestStores.Searching, _time).SearchAsync("account", new SearchRequest(query, Limit: 10, after), CancellationToken.None);

    /// <summary>An index in which nothing is found, slowly.</summary>
    private sealed class SlowIndex(FakeTimeProvider time) : ISearchStore, ISearchReader
    {
        private static readonly TimeSpan Step = TimeSpan.FromMilliseconds(100);

        public long End { get; set; } = 100_000_000;

        public TimeSpan Took { get; private set; }

        public long Lowest { get; private set; } = long.MaxValue;

        public long Highest { get; private set; }

        public Task<T> SearchAsync<T>(SearchScope scope, Func<ISearchReader, Task<T>> search, CancellationToken cancellationToken) => search(this);

        public Task<IReadOnlyList<SearchCandidate>> FindAsync(SearchQuery query, long from, long to, int limit)
        {
            time.Advance(Step);
            Took += Step;
            Lowest = Math.Min(Lowest, from);
            Highest = Math.Max(Highest, to);
            return Task.FromResult<IReadOnlyList<SearchCandidate>>([]);
        }

        public Task<IReadOnlyList<FoundEntry>> ReadAsync(IReadOnlyList<SearchCandidate> candidates, int maxCharacters) =>
            Task.FromResult<IReadOnlyList<FoundEntry>>([]);
    }
}
