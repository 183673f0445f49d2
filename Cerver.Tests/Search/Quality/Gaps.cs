using System.Collections.Frozen;
using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace Cerver.Tests.Search.Quality;

/// <summary>Fills the gaps of <see cref="Fillers"/>. A session speaks mostly of the same few things.</summary>
internal sealed partial class Gaps(Random random)
{
    private static readonly FrozenDictionary<string, string[]> Words = new Dictionary<string, string[]>(StringComparer.Ordinal)
    {
        ["service"] = "atlas-edge harbor-ui payout-worker tax-service search-api mailer cart-service auth-proxy event-relay image-resizer ledger-api webhook-gateway".Split(' '),
        ["host"] = "db-1 db-2 db-3 build-4 build-7 edge-staging-1 edge-prod-2 batch-9 cache-5 fs02".Split(' '),
        ["job"] = "nightly-backup log-rotate invoice-run report-mailer index-refresh cert-renewal seed-staging prune-images export-orders".Split(' '),
        ["table"] = "dim_customer dim_product fact_orders fact_clicks order_item audit_log price_list stock_level".Split(' '),
        ["component"] = "parseRequest PriceTag CartDrawer renderInvoice loadTenant SessionStore retryPolicy buildQuery formatDate UserMenu shardRing".Split(' '),
        ["page"] = "checkout cart settings profile orders search login pricing".Split(' '),
        ["browser"] = "Safari Firefox Chrome Edge".Split(' '),
        ["customer"] = "Northwind Kontor Brightside Olmeca Tanaka Vogel Ferrari Lindqvist".Split(' '),
        ["person"] = "Priya Tom Ines Jonas Mei Olga Samir Ruth".Split(' '),
        ["day"] = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".Split(' '),
        ["city"] = "Lisbon Porto Madrid Vienna Graz Kyoto Seoul Oslo".Split(' '),
        ["product"] = "keyboard monitor backpack headset lamp chair kettle".Split(' '),
        ["topic"] = ["retrieval", "chunking", "embedding models", "long contexts", "rerankers", "tool use", "memory of agents"],
        ["alert"] = ["disk above 80 percent", "error rate high", "replication lag", "certificate expires soon", "queue too long", "memory of pod high"],
    }.ToFrozenDictionary(StringComparer.Ordinal);

    private readonly Dictionary<string, string> _mostly = new(StringComparer.Ordinal);

    /// <summary>Fills the gaps of a line.</summary>
    public string Fill(string line) => Gap().Replace(line, gap => Value(gap.Groups["name"].Value) ?? gap.Value);

    private string? Value(string name) => name switch
    {
        "n" => Number(2, 900),
        "ms" => Number(900, 9_000),
        "port" => Number(2_000, 9_000),
        "id" => $"INC-{Number(1_000, 9_000)}",
        "time" => string.Create(CultureInfo.InvariantCulture, $"{random.Next(24):00}:{random.Next(60):00}"),
        "date" => new DateTime(2026, 1, 5).AddDays(random.Next(40)).ToString("yyyy-MM-dd", CultureInfo.InvariantCulture),
        "ip" => $"10.{random.Next(250)}.{random.Next(250)}.{random.Next(250)}",
        "ver" => $"{random.Next(1, 4)}.{random.Next(20)}.{random.Next(10)}",
        "sha" => random.Next(0x1000000, int.MaxValue).ToString("x7", CultureInfo.InvariantCulture)[..7],
        "uuid" => Uuid(),
        "logs" => Logs(),
        "trace" => Trace(),
        _ => Words.ContainsKey(name) ? Word(name) : null,
    };

    private string Word(string name)
    {
        var word = Words[name][random.Next(Words[name].Length)];
        _mostly.TryAdd(name, word);
        return random.Next(10) < 6 ? _mostly[name] : word;
    }

    private string Number(int from, int to) => random.Next(from, to).ToString(CultureInfo.InvariantCulture);

    private string Uuid()
    {
        var bytes = new byte[16];
        random.NextBytes(bytes);
        return new Guid(bytes).ToString();
    }

    private string Logs()
    {
        string[] lines =
        [
            "INFO {service}[{n}] request {uuid} done in {n} ms", "WARN {service}[{n}] slow query on {table} took {ms} ms", "INFO {service}[{n}] connection to {host} opened, pool size {n}",
            "ERROR {service}[{n}] timeout after {ms} ms calling {service}, retry {n}", "WARN {service}[{n}] connection reset while reading from {host}", "DEBUG {service}[{n}] cache miss for tenant {n}",
            "ERROR {service}[{n}] code=E{n} could not write to {table}: no space left on device", "INFO {service}[{n}] certificate loaded, valid until {date}", "INFO {job} finished, exit 0",
            "WARN {service}[{n}] upstream timed out while reading from {ip}:{port}", "INFO {service}[{n}] webhook accepted, signature valid", "ERROR {service}[{n}] failed to commit, will retry with backoff",
        ];
        var text = new StringBuilder();
        for (var left = random.Next(3, 12); left > 0; left--)
        {
            text.Append(Fill("{date}T{time}Z " + lines[random.Next(lines.Length)])).Append('\n');
        }

        return text.ToString();
    }

    private string Trace()
    {
        string[] errors = ["TypeError: Cannot read properties of undefined (reading 'id')", "Error: connect ECONNREFUSED {ip}:{port}", "TimeoutError: no answer of {service} within {ms} ms", "RangeError: Maximum call stack size exceeded"];
        var text = new StringBuilder(Fill(errors[random.Next(errors.Length)]));
        for (var left = random.Next(3, 9); left > 0; left--)
        {
            text.Append(Fill("\n    at {component} (src/{service}/{component}.ts:{n}:{n})"));
        }

        return text.ToString();
    }

    [GeneratedRegex(@"\{(?<name>[a-z]+)\}", RegexOptions.ExplicitCapture | RegexOptions.CultureInvariant, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Gap();
}
