using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using Cerver.Computes;
using Cerver.Grains.Search;
using Cerver.Grains.Sessions;
using Cerver.Search;
using Cerver.Sessions;
using Cerver.Tests.Storage;
using Xunit.Abstractions;

namespace Cerver.Tests.Search.Quality;

/// <summary>How well what was said is found among thousands of entries that use the same words.</summary>
public abstract class SearchQualityTests(TestedDatabase database, ITestOutputHelper output)
{
    private const int Best = 10;

    /// <summary>How near to the answer of a question a hit must be, so that a reader of the session sees the answer.</summary>
    private const int Near = 2;

    [Fact]
    public async Task Answers_are_among_the_first_ten_and_mostly_the_very_first()
    {
        await using var stores = await TestStores.CreateAsync(database);
        var world = AgentWorld.Make();
        var answers = await StoreAsync(stores, world);
        var searcher = new Searcher(stores.Search, TestStores.Searching, TimeProvider.System);

        var results = new List<Result>();
        foreach (var question in Questions.All)
        {
            results.Add(await AskAsync(searcher, question, answers));
        }

        var recall = results.Average(static result => result.IsRecalled ? 1.0 : 0);
        var reciprocal = results.Average(static result => result.Rank is { } rank ? 1.0 / rank : 0);
        var report = string.Create(
            CultureInfo.InvariantCulture,
            $"{database}: {world.Length} sessions, {world.Sum(static session => session.Entries.Length)} entries, {results.Count} questions, recall@10 {recall:f3}, MRR {reciprocal:f3}\n")
            + Table(results);
        output.WriteLine(report);
        await File.WriteAllTextAsync(Path.Combine(AppContext.BaseDirectory, $"search-quality-{database}.txt"), report);
        var missed = string.Join('\n', results.Where(static result => !result.IsRecalled).Select(static result => $"{result.Question.Text}\n{result.Found}"));
        Assert.InRange(world.Length, 200, 300);
        Assert.InRange(world.Sum(static session => session.Entries.Length), 5_000, 8_000);
        Assert.True(recall >= 0.95, $"recall@10 is {recall:f3}. Missed:\n{missed}");
        Assert.True(reciprocal >= 0.8, $"MRR is {reciprocal:f3}. Missed:\n{missed}");
    }

    private static async Task<Result> AskAsync(Searcher searcher, SearchQuestion question, Dictionary<string, List<(string SessionId, int Index)>> answers)
    {
        var right = question.Answers.Split(' ').SelectMany(key => answers[key]).ToList();
        var request = new SearchRequest(
            question.Text,
            Best,
            SessionId: question.IsInSession ? right[0].SessionId : null,
            Role: question.Role,
            Kind: question.EntryKind,
            Since: question.Since is { } since ? AgentWorld.FirstDay.AddDays(since) : null,
            Until: question.Until is { } until ? AgentWorld.FirstDay.AddDays(until) : null,
            Harness: question.Harness,
            Source: question.Source);
        var began = TimeProvider.System.GetTimestamp();
        var page = await searcher.SearchAsync(TestStores.Account, request, CancellationToken.None);
        var took = TimeProvider.System.GetElapsedTime(began);
        var rank = RankOf(page, hit => right.Exists(answer => answer.SessionId == hit.SessionId && answer.Index == hit.Index));
        var near = RankOf(page, hit => right.Exists(answer => answer.SessionId == hit.SessionId && Math.Abs(answer.Index - hit.Index) <= Near));
        var found = string.Join('\n', page.Hits.Select(static hit => $"    {hit.Score:f2} {hit.SessionName} #{hit.Index} {hit.Role}: {hit.Snippet}"));
        return new Result(question, rank, question.Kind == SearchQuestion.Natural ? near : rank, page.MatchedAll ? "all" : "any", took, found);
    }

    private static int? RankOf(SearchPage page, Func<SearchHit, bool> isRight)
    {
        var at = page.Hits.Select(isRight).ToList().IndexOf(item: true);
        return at < 0 ? null : at + 1;
    }

    /// <summary>Stores the world and gives where the answers are.</summary>
    private static async Task<Dictionary<string, List<(string SessionId, int Index)>>> StoreAsync(TestStores stores, ImmutableArray<WorldSession> world)
    {
        var answers = new Dictionary<string, List<(string SessionId, int Index)>>(StringComparer.Ordinal);
        foreach (var session in world)
        {
            var at = session.Entries[0].At!.Value;
            var request = GrainCluster.Request(ComputeChoice.None, metadata: $$"""{"source":"{{session.Source}}"}""", name: session.Name) with { Harness = session.Harness };
            var record = SessionRules.NewRecord(request, TestStores.Account, Ids.NewSession(TimeProvider.System), at);
            await stores.Sessions.CommitAsync(SessionChange.From(record, at, rewrites: true, session.Entries), CancellationToken.None);
            foreach (var (key, index) in session.Planted)
            {
                answers.TryAdd(key, []);
                answers[key].Add((record.SessionId, index));
            }
        }

        return answers;
    }

    private static string Table(IEnumerable<Result> results)
    {
        var table = new StringBuilder("kind        rank  near  matched     ms  question\n");
        foreach (var result in results)
        {
            table.Append(CultureInfo.InvariantCulture, $"{result.Question.Kind,-10}  {Show(result.Rank),4}  {Show(result.Near),4}  {result.Matched,-7}  {result.Took.TotalMilliseconds,5:f0}  {result.Question.Text}\n");
        }

        return table.ToString();

        static string Show(int? rank) => rank?.ToString(CultureInfo.InvariantCulture) ?? "-";
    }

    /// <summary>How a question was answered.</summary>
    /// <param name="Question">The question.</param>
    /// <param name="Rank">The place of the first right hit, or null when none was among the first.</param>
    /// <param name="Near">The same, where hits near the answer are right too if it is a natural question.</param>
    /// <param name="Matched">Whether hits had all the words or any of them.</param>
    /// <param name="Took">How long it took, on a machine that has other things to do.</param>
    /// <param name="Found">What was found.</param>
    private sealed record Result(SearchQuestion Question, int? Rank, int? Near, string Matched, TimeSpan Took, string Found)
    {
        public bool IsRecalled => Near is not null;
    }
}

public sealed class SqliteSearchQualityTests(ITestOutputHelper output) : SearchQualityTests(TestedDatabase.Sqlite, output);

public sealed class PostgresSearchQualityTests(ITestOutputHelper output) : SearchQualityTests(TestedDatabase.Postgres, output);
