using System.Net.Http.Json;
using System.Text.Json;
using Cerver.Tests.Http;
using Cerver.Tests.Storage;
using Xunit.Abstractions;

namespace Cerver.Tests.Search;

/// <summary>
/// What was acknowledged to one client is found by another at once. <c>CERVER_SOAK=1</c> tries it 10,000 times instead of a few hundred.
/// </summary>
public abstract class SearchFreshnessTests(TestedDatabase database, ITestOutputHelper output)
{
    private const int Lanes = 4;

    private static readonly int Pairs = Environment.GetEnvironmentVariable("CERVER_SOAK") == "1" ? 10_000 : 300;

    [Fact]
    public async Task What_was_acknowledged_to_one_client_is_found_by_another_at_once()
    {
        await using var gateway = await TestedGateway.StartAsync(database);
        using var writer = gateway.NewClient();
        using var reader = gateway.NewClient();
        var began = TimeProvider.System.GetTimestamp();

        // Several at once, so that appends share transactions as they do in life.
        var missed = await Task.WhenAll(Enumerable.Range(0, Lanes).Select(lane => AppendAndSearchAsync(writer, reader, lane)));

        output.WriteLine($"{database}: {Pairs} pairs, {missed.Sum(static words => words.Count)} missed, {TimeProvider.System.GetElapsedTime(began).TotalSeconds:f0} s");
        Assert.Empty(missed.SelectMany(static words => words));
    }

    /// <summary>One lane's share of the pairs.</summary>
    /// <returns>The words that were not found.</returns>
    private static async Task<List<string>> AppendAndSearchAsync(HttpClient writer, HttpClient reader, int lane)
    {
        var missed = new List<string>();
        var session = await TestedGateway.CreateAsync(writer);
        for (var pair = lane; pair < Pairs; pair += Lanes)
        {
            var word = $"marker{pair}x";
            await TestedGateway.AppendAsync(writer, session, $"The deploy wrote {word} to its log and went on.");
            var answer = await reader.GetFromJsonAsync<JsonElement>($"/v2/sessions/search?q={word}");
            var hits = answer.GetProperty("hits").EnumerateArray().ToList();
            if (hits is not [var hit] || hit.GetProperty("session_id").GetString() != session || hit.GetProperty("index").GetInt64() != pair / Lanes)
            {
                missed.Add(word);
            }
        }

        return missed;
    }
}

public sealed class SqliteSearchFreshnessTests(ITestOutputHelper output) : SearchFreshnessTests(TestedDatabase.Sqlite, output);

public sealed class PostgresSearchFreshnessTests(ITestOutputHelper output) : SearchFreshnessTests(TestedDatabase.Postgres, output);
