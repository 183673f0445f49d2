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

        await MeasureStreamsAsync(bench, given, plain, "run/stream", StreamCase.Print, cancellationToken);
        await MeasureStreamsAsync(bench, given, plain, "run/stream, escapes", bytes => $"yes '{EscapedLine}' 2>/dev/null | head -c {bytes}", cancellationToken);
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

    private async Task MeasureStreamsAsync(
        Workbench bench, Gateway given, Gateway plain, string name, Func<int, string> print, CancellationToken cancellationToken)
    {
        var bytes = (bench.Options.Quick ? 4 : 64) * Mebibyte;
        using var redacted = await RunStream.OpenAsync(given, cancellationToken);
        using var untouched = await RunStream.OpenAsync(plain, cancellationToken);
        var (givenSession, plainSession) = (await given.CreateSandboxAsync(cancellationToken), await plain.CreateSandboxAsync(cancellationToken));
        async Task<double> ReadAsync(RunStream stream, Gateway gateway, string session)
        {
            var streamed = await stream.ReadAsync(RunStream.Start(gateway, session, print(bytes)), cancellationToken);
            return streamed.Bytes == bytes ? streamed.MegabytesPerSecond : throw new BenchException($"{bytes} bytes were printed and {streamed.Bytes} came through.");
        }

        List<double> withValues = [], without = [];
        await ReadAsync(redacted, given, givenSession);
        await ReadAsync(untouched, plain, plainSession);
        for (var round = 0; round < bench.ShortRounds; round++)
        {
            without.Add(await ReadAsync(untouched, plain, plainSession));
            withValues.Add(await ReadAsync(redacted, given, givenSession));
        }

        Compare(bench, name, "MB/s", withValues, without);
    }

    private async Task MeasureAppendsAsync(Workbench bench, Gateway given, Gateway plain, CancellationToken cancellationToken)
    {
        var time = bench.Options.Quick ? TimeSpan.FromSeconds(1) : AppendTime;
        await using var redacted = await Appenders.OpenAsync(given, Clients, cancellationToken);
        await using var untouched = await Appenders.OpenAsync(plain, Clients, cancellationToken);
        List<double> withValues = [], without = [];
        for (var round = 0; round < bench.Rounds; round++)
        {
            without.Add((await untouched.SendAsync(time, cancellationToken)).PerSecond);
            withValues.Add((await redacted.SendAsync(time, cancellationToken)).PerSecond);
        }

        Compare(bench, $"append, {Clients} clients", "requests/s", withValues, without);
    }

    private void Compare(Workbench bench, string name, string unit, List<double> withValues, List<double> without)
    {
        var (redacted, untouched) = (new Figure($"{name}: {Values} values", unit, withValues), new Figure($"{name}: none", unit, without));
        bench.Report.Add(Name, redacted);
        bench.Report.Add(Name, untouched);
        bench.Report.Add(Name, Figure.Ratio(redacted, untouched, Bound.AtLeast(0.95)));
    }

    private static string Repeat(string text) => string.Concat(Enumerable.Repeat(text, (1_024 / text.Length) + 1))[..1_024];
}
