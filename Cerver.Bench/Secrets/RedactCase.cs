using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using Cerver.Bench.Gateways;
using Cerver.Bench.Load;
using Cerver.Bench.Reports;
using Cerver.Bench.Runs;
using Cerver.Bench.Sessions;
using Cerver.Grains.Secrets.Redaction;
using Cerver.Secrets;

namespace Cerver.Bench.Secrets;

/// <summary>What it costs to keep a hundred values out of everything: two accounts of one gateway, of which one was given them.</summary>
internal sealed class RedactCase : IBenchCase
{
    private const int Values = 100;
    private const int Clients = 32;
    private const int Mebibyte = 1024 * 1024;
    private const string PlainToken = "token-of-an-account-that-was-given-nothing";

    /// <summary>Lines with all that makes the search look twice.</summary>
    private const string EscapedLine = """{"path":"C:\\dir\\file","url":"https://example.com/a%20b?c=%2Fd","text":"said \"yes\" and\nno","n":1}""";

    private static readonly TimeSpan AppendTime = TimeSpan.FromSeconds(3);

    /// <inheritdoc/>
    public string Name => "redact";

    /// <inheritdoc/>
    public async Task MeasureAsync(Workbench bench, CancellationToken cancellationToken)
    {
        var values = Enumerable.Range(0, Values).ToDictionary(
            static i => string.Create(CultureInfo.InvariantCulture, $"BENCH_{i}"), static _ => Convert.ToBase64String(RandomNumberGenerator.GetBytes(30)), StringComparer.Ordinal);
        MeasureEntries(bench, values);
        foreach (var (name, value) in values)
        {
            Environment.SetEnvironmentVariable($"CERVER_SECRET_{name}", value);
        }

        if (bench.Options.Target is not null)
        {
            throw new BenchException($"The case {Name} starts its own gateway: leave out --url.");
        }

        await using var given = await Gateway.StartAsync(bench.Repository, cancellationToken, $"--Cerver:Auth:Tokens:plain={PlainToken}");
        var plain = Gateway.At(given.Endpoint, PlainToken);
        using (var connection = await HttpConnection.OpenAsync(given.Endpoint, cancellationToken))
        {
            foreach (var name in values.Keys)
            {
                await connection.AskAsync(given.Request("GET", $"/v2/secrets/{name}"), cancellationToken);
            }
        }

        var printed = (Name: "BENCH_7", Value: values["BENCH_7"]);
        await MeasureStreamsAsync(bench, given, plain, "run/stream", StreamCase.Print, printed, cancellationToken);
        await MeasureStreamsAsync(
            bench, given, plain, "run/stream, escapes", static bytes => $"yes '{EscapedLine}' 2>/dev/null | head -c {bytes}", printed, cancellationToken);
        await MeasureAppendsAsync(bench, given, plain, cancellationToken);
    }

    private static double Microseconds(Action<int> redact, int repetitions)
    {
        var began = Stopwatch.GetTimestamp();
        for (var i = 0; i < repetitions; i++)
        {
            redact(i);
        }

        return Stopwatch.GetElapsedTime(began).TotalMicroseconds / repetitions;
    }

    /// <summary>An entry of 1 KiB, in this process.</summary>
    private void MeasureEntries(Workbench bench, Dictionary<string, string> values)
    {
        var matcher = SecretMatcher.Empty.With(values.Select(static value => new FetchedSecret(value.Key, new Secret(value.Value), "env")));
        var texts = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["entry without a value"] = Repeat("The tide is out until four; we have three hours to walk there. "),
            ["entry with a value"] = Repeat("The tide is out until four. ")[..984] + values["BENCH_7"],
            ["entry with escapes"] = Repeat(EscapedLine),
        };
        var repetitions = bench.Options.Quick ? 2_000 : 50_000;
        foreach (var (name, text) in texts)
        {
            if (ReferenceEquals(TextRedactor.Redact(matcher, text), text) == text.EndsWith(values["BENCH_7"], StringComparison.Ordinal))
            {
                throw new BenchException($"What is measured as '{name}' was not redacted as it should be.");
            }

            Microseconds(_ => TextRedactor.Redact(matcher, text), repetitions);
            bench.Report.Add(
                Name,
                new Figure(name, "µs", [.. Enumerable.Range(0, bench.Rounds).Select(_ => Microseconds(_ => TextRedactor.Redact(matcher, text), repetitions))], Bound.AtMost(10)));
        }
    }

    /// <summary>Output with one of the values in the middle: without its mark there, what is measured is not redacted.</summary>
    private async Task MeasureStreamsAsync(
        Workbench bench, Gateway given, Gateway plain, string name, Func<int, string> print, (string Name, string Value) printed, CancellationToken cancellationToken)
    {
        // Of output beyond 64 MiB nothing is kept, and the value and its line ends come on top.
        var bytes = (bench.Options.Quick ? 4 : 63) * Mebibyte;
        var code = $"{print(bytes / 2)}; echo; echo {printed.Value}; {print(bytes / 2)}";
        SoughtText mark = new($"\n{SecretMark.Of(printed.Name).Text}\n"), value = new($"\n{printed.Value}\n");
        using var redacted = await RunStream.OpenAsync(given, cancellationToken, mark.Take);
        using var untouched = await RunStream.OpenAsync(plain, cancellationToken, value.Take);
        var (givenSession, plainSession) = (await given.CreateSandboxAsync(cancellationToken), await plain.CreateSandboxAsync(cancellationToken));
        async Task<(double Rate, double Amount)> ReadAsync(RunStream stream, ReadOnlyMemory<byte> request, SoughtText sought)
        {
            var streamed = await stream.ReadAsync(request, cancellationToken);
            sought.RequireOnce();
            return streamed.Bytes == bytes + sought.Length
                ? (streamed.MegabytesPerSecond, (double)bytes / Mebibyte)
                : throw new BenchException($"{bytes} bytes were printed beside a value and {streamed.Bytes} came through.");
        }

        await CompareAsync(
            bench,
            new(name, "MB/s", "µs/MiB", bench.ShortRounds),
            given.Process,
            () => ReadAsync(redacted, RunStream.Start(given, givenSession, code), mark),
            () => ReadAsync(untouched, RunStream.Start(plain, plainSession, code), value));
    }

    private async Task MeasureAppendsAsync(Workbench bench, Gateway given, Gateway plain, CancellationToken cancellationToken)
    {
        var time = bench.Options.Quick ? TimeSpan.FromSeconds(1) : AppendTime;
        var content = Repeat("The tide is out until four; we have three hours to walk there. ");
        await using var redacted = await Appenders.OpenAsync(given, Clients, content, cancellationToken);
        await using var untouched = await Appenders.OpenAsync(plain, Clients, content, cancellationToken);
        async Task<(double Rate, double Amount)> SendAsync(LoadGenerator load)
        {
            var sent = await load.SendAsync(time, cancellationToken);
            return (sent.PerSecond, sent.Times.Count);
        }

        await CompareAsync(
            bench,
            new($"append of 1 KiB, {Clients} clients", "requests/s", "µs/request", bench.Rounds),
            given.Process,
            () => SendAsync(redacted),
            () => SendAsync(untouched));
    }

    /// <summary>Measures both accounts once to warm up, and then in turn, now the one first and now the other: what the first leaves behind is done while the second is measured.</summary>
    private async Task CompareAsync(
        Workbench bench, Comparison comparison, GatewayProcess process, Func<Task<(double Rate, double Amount)>> given, Func<Task<(double Rate, double Amount)>> plain)
    {
        Series withValues = new(given), without = new(plain);
        await withValues.Measure();
        await without.Measure();
        for (var round = 0; round < comparison.Rounds; round++)
        {
            foreach (var series in (Series[])(round % 2 == 0 ? [withValues, without] : [without, withValues]))
            {
                var before = process.ProcessorTime;
                var (rate, amount) = await series.Measure();
                series.Rates.Add(rate);
                series.Costs.Add((process.ProcessorTime - before).TotalMicroseconds / amount);
            }
        }

        Compare(bench, comparison.Name, comparison.Unit, withValues.Rates, without.Rates, Bound.AtLeast(0.95));
        Compare(bench, $"{comparison.Name}: processor time", comparison.CostUnit, withValues.Costs, without.Costs);
    }

    private void Compare(Workbench bench, string name, string unit, List<double> withValues, List<double> without, Bound? target = null)
    {
        var (redacted, untouched) = (new Figure($"{name}: {Values} values", unit, withValues), new Figure($"{name}: none", unit, without));
        bench.Report.Add(Name, redacted);
        bench.Report.Add(Name, untouched);
        bench.Report.Add(Name, Figure.Ratio(redacted, untouched, target));
    }

    private static string Repeat(string text) => string.Concat(Enumerable.Repeat(text, (1_024 / text.Length) + 1))[..1_024];

    /// <summary>What is compared.</summary>
    /// <param name="Name">What is measured.</param>
    /// <param name="Unit">In what, for each second.</param>
    /// <param name="CostUnit">In what the processor time of the gateway is told.</param>
    /// <param name="Rounds">How often.</param>
    private sealed record Comparison(string Name, string Unit, string CostUnit, int Rounds);

    /// <summary>What was measured of one account.</summary>
    /// <param name="Measure">Measures once: how much went through in a second, and how much did in all.</param>
    private sealed record Series(Func<Task<(double Rate, double Amount)>> Measure)
    {
        public List<double> Rates { get; } = [];

        public List<double> Costs { get; } = [];
    }
}
