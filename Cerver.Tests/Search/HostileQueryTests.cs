using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using Cerver.Tests.Http;
using Cerver.Tests.Storage;

namespace Cerver.Tests.Search;

/// <summary>Whatever somebody types is answered, or refused as what it is, and soon.</summary>
public abstract class HostileQueryTests(TestedDatabase database)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    [Fact]
    public async Task Whatever_is_typed_is_answered_or_refused_as_what_it_is_and_soon()
    {
        await using var gateway = await TestedGateway.StartAsync(database);
        using var client = gateway.NewClient();
        var session = await TestedGateway.CreateAsync(client);
        foreach (var number in Enumerable.Range(0, 50))
        {
            await TestedGateway.AppendAsync(client, session, $"near a b col x drop table session select from where {number} {new string('a', 64)} 数据库 O'Brien");
        }

        // The first call also starts what no query is to be blamed for.
        using (await client.GetAsync(new Uri("/v2/sessions/search?q=near", UriKind.Relative)))
        {
        }

        var faults = new List<string>();
        foreach (var query in Texts().Select(Uri.EscapeDataString).Concat(EscapedBytes()))
        {
            faults.AddRange(await FaultsOfAsync(client, query));
        }

        Assert.True(faults.Count == 0, string.Join('\n', faults));

        using var sound = await client.GetAsync(new Uri("/v2/sessions/search?q=O'Brien", UriKind.Relative));
        var answer = await sound.Content.ReadFromJsonAsync<JsonElement>();
        Assert.Equal((20, "all"), (answer.GetProperty("hits").GetArrayLength(), answer.GetProperty("matched").GetString()));
    }

    /// <summary>What is wrong with how a query is answered.</summary>
    private static async Task<IReadOnlyList<string>> FaultsOfAsync(HttpClient client, string escaped)
    {
        var faults = new List<string>();
        var began = TimeProvider.System.GetTimestamp();
        using var answered = await client.GetAsync(new Uri($"/v2/sessions/search?q={escaped}", UriKind.Relative));
        var took = TimeProvider.System.GetElapsedTime(began);
        var text = await answered.Content.ReadAsStringAsync();
        var shown = escaped.Length > 80 ? escaped[..80] + "…" : escaped;
        if (took > Patience)
        {
            faults.Add($"{shown} took {took.TotalMilliseconds:f0} ms");
        }

        var isRefusal = answered.StatusCode == HttpStatusCode.BadRequest;
        if (answered.StatusCode != HttpStatusCode.OK && (!isRefusal || !IsRefusalOfQuery(text)))
        {
            faults.Add($"{shown} was answered with {(int)answered.StatusCode} {text}");
        }

        return faults;
    }

    private static bool IsRefusalOfQuery(string text)
    {
        var answer = text.Length == 0 ? default : JsonDocument.Parse(text).RootElement;
        return answer.ValueKind == JsonValueKind.Object
            && answer.TryGetProperty("code", out var code) && code.ValueEquals("invalid_request")
            && answer.TryGetProperty("field", out var field) && field.ValueEquals("q");
    }

    private static IEnumerable<string> Texts() =>
    [
        // Too long, too many, too large.
        new('a', 10 * 1024), new('"', 10 * 1024), new('*', 1_000), new('-', 1_000), new('(', 1_000), new(' ', 1_000), new('数', 1_000), new('数', 20),
        string.Join(' ', Enumerable.Repeat("a", 2_000)), string.Join(" OR ", Enumerable.Repeat("a", 2_000)), string.Join(" OR ", Enumerable.Repeat("a", 32)),
        string.Join(' ', Enumerable.Repeat("OR", 300)), string.Join(' ', Enumerable.Repeat("-a", 300)), string.Concat(Enumerable.Repeat("-\"", 300)),
        new string('a', 998) + "*", new string('a', 64) + "*", new string('a', 65), "aaa*", "a*", "*a*", "a* OR b*", "-aaa* near",
        new string('(', 400) + "near" + new string(')', 400), string.Concat(Enumerable.Repeat("(near OR ", 100)) + "a",

        // Half of what belongs together.
        "", " ", "\"", "\"\"", "\"\"\"", "\"near", "near\"", "\"near\" \"", "-", "--", "- -", "-\"", "-\"near", "OR", "OR OR", "near OR", "OR near", "AND", "NOT", "near NOT", "NOT near",
        "(", ")", "()", "((", "))((", "(near", "near)", "*", "**", "* *", "-*", "\"*\"", "+", "+near", "~near", "^near", "near^2", "near~1", "[a TO b]", "{a b}", "a:b", ":", "::", "%", "%%", "_", "\\", "\\\\", "'", "''", "'''",

        // The grammars of the databases.
        "NEAR(a b)", "NEAR(a b, 3)", "NEAR(", "NEAR/2", "a NEAR b", "col : x", "words : near", "{words wholes} : near", "- words : near", "^ near", "\"a\" ^ b", "\"near\" *", "near + a", "\"a\" + \"b\"", "search_word MATCH 'a'", "rowid:1", "marks : r1", "rank MATCH 'bm25()'", "{", "}",
        "a & b | !c <-> d", "a <2> b", "<->", "!", "!!near", "!near", "&", "|", "a &", "| a", "a:*", ":*", "near:*A", "near:B", "'near'", "'near':*", "a <-> ", "(a & b", "a\\", "\\'", "'a' & ''", "$$a$$", "$1", "?1", "@a", ":a",

        // Attempts at the databases.
        "'; drop table session; --", "\"; drop table search_word; --", "' or '1'='1", "1' union select token from account --", "near') or 1=1 --", "\\'; select pg_sleep(5); --", "'||(select pg_sleep(5))||'", "near' AND 1=randomblob(1000000000) --", "near/**/or/**/1=1", "0x27", "' || char(39)", "E'\\x27'", "\"near\" union all select null,null", "; vacuum", "copy session to program 'id'",

        // Patterns of other tools.
        "^(a+)+$", "(.*)*b", "near.*a", "[a-z]+", "n?ar", "/near/i", "\\bnear\\b", "(?i)near", "ne%r", "n_ar", "$(id)", "`id`", "${jndi:ldap://127.0.0.1/a}", "<script>alert(1)</script>", "../../etc/passwd", "{{7*7}}", "%s%n%x",

        // Characters that are no words, or hardly.
        "\0", "near\0a", "\0near", "\u0001\u0002\u0003", "a\rb\nc\td", "\u007F", "\u0085", "\u2028near\u2029", "\uFEFFnear", "\u200B", "\u200Bnear\u200B", "\u202Enear", "\u0301", "a" + new string('\u0301', 500), "\u00AD", "\uFFFD", "\uFFFE", "\uFFFF",
        "🙂", "🙂🙂🙂", "👩‍👩‍👧‍👦", "🇨🇳", "🙂*", "-🙂", "\"🙂\"", "near 🙂", "数", "数*", "-数 near", "库🙂数", "กขค", "\u3164", "\u1160", "\u0640", "ﷺ", "İ", "ß", "ﬁ", "Ǆ", "𝐧𝐞𝐚𝐫", "１２３",
    ];

    /// <summary>Bytes that are not UTF-8, and signs of percent that escape nothing.</summary>
    private static IEnumerable<string> EscapedBytes() =>
    [
        "%ED%A0%80", "%ED%B0%80near", "near%ED%A0%BD", "%ED%A0%BD%ED%B8%80", "%FF", "%FE%FF", "%C0%80", "%C0%AF", "%80", "%E6%95", "near%E6%95*", "%F4%90%80%80", "%", "%2", "%zz", "near%", "%00", "near%00a", "%u0041", "+", "+near+", "near&q=a", "near&q=", "near&limit=5&q=b",
        string.Concat(Encoding.UTF8.GetBytes(new string('数', 1_100)).Select(static value => $"%{value:X2}")),
    ];
}

public sealed class SqliteHostileQueryTests() : HostileQueryTests(TestedDatabase.Sqlite);

public sealed class PostgresHostileQueryTests() : HostileQueryTests(TestedDatabase.Postgres);
