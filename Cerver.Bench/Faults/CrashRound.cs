using System.Collections.Immutable;
using Cerver.Bench.Gateways;
using Cerver.Bench.Histories;

namespace Cerver.Bench.Faults;

/// <summary>A number of faults with clients, sessions and a history of their own, and a check at the end.</summary>
/// <param name="target">The gateway.</param>
/// <param name="name">What the names of all its sessions begin with.</param>
/// <param name="random">Where its randomness comes from.</param>
/// <param name="patience">How many times the limits of time are allowed.</param>
/// <param name="say">Is told how it goes.</param>
internal sealed class CrashRound(ICrashTarget target, string name, Random random, int patience, Action<string> say)
{
    private const string LastPayload = "the last";

    private static readonly TimeSpan EndLimit = TimeSpan.FromSeconds(60);

    private readonly HistoryRecorder _history = new();
    private readonly List<string> _found = [];

    /// <summary>Runs it.</summary>
    /// <param name="cycles">How many faults.</param>
    /// <param name="cancellationToken">Ends it in the middle.</param>
    /// <exception cref="BenchException">The gateway does not start again, or something does not come to its end in time.</exception>
    public async Task<CrashResult> RunAsync(int cycles, CancellationToken cancellationToken)
    {
        using var ending = new CancellationTokenSource();
        using var givenUp = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        givenUp.CancelAfter((target.CycleLimit * cycles) + EndLimit);
        using var client = new GatewayClient(target, _history, NewRandom());
        var scene = new CrashScene(target, client, _history, ending.Token, givenUp.Token);
        try
        {
            using var account = await AccountWatch.BeginAsync(scene, NewRandom());
            var transcripts = await CreateAsync(scene, "transcript", target.Load.Transcripts, withSandbox: false);
            var sandboxes = await CreateAsync(scene, "sandbox", target.Load.Sandboxes, withSandbox: true);
            ImmutableArray<string> sessions = [.. transcripts, .. sandboxes];
            var watchers = sessions.SelectMany(session => Watch(scene, session)).ToList();
            await StrikeAsync(cycles, [.. Work(scene, transcripts, sandboxes)], ending, givenUp.Token);
            await EndAsync(scene, sessions, watchers, account, givenUp);
            foreach (var sandbox in sandboxes)
            {
                await client.AskAsync(HttpMethod.Delete, $"/v2/sessions/{sandbox}", body: null, key: $"{sandbox}-end", givenUp.Token);
            }
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new BenchException($"A round did not come to its end in time: something waits for ever. {Describe(_history.ToHistory())}");
        }
        finally
        {
            await ending.CancelAsync();
            await givenUp.CancelAsync();
        }

        var history = _history.ToHistory();
        return new(history, [.. HistoryChecker.Check(history, patience).Select(violation => violation.ToString()), .. _found]);
    }

    private static string Describe(History history)
    {
        const int Newest = 5;
        var faults = history.Faults.Select(fault => $"{fault.Struck} {fault.What}");
        var failures = history.Failures.TakeLast(Newest).Select(failure => $"{failure.Answered} {failure.Request}: {failure.Description}");
        return $"What was done, and the newest of {history.Failures.Length} failures:\n{string.Join('\n', faults.Concat(failures))}";
    }

    private async Task<ImmutableArray<string>> CreateAsync(CrashScene scene, string kind, int count, bool withSandbox)
    {
        var founder = new Founder(scene, name, random);
        var sessions = ImmutableArray.CreateBuilder<string>(count);
        for (var number = 0; number < count; number++)
        {
            sessions.Add(await founder.CreateAsync($"{name}-{kind}-{number}", withSandbox));
        }

        return sessions.ToImmutable();
    }

    private IEnumerable<Task> Work(CrashScene scene, ImmutableArray<string> transcripts, ImmutableArray<string> sandboxes)
    {
        yield return new Founder(scene, name, NewRandom()).RunAsync();
        foreach (var (session, number) in transcripts.AddRange(sandboxes).Select((session, number) => (session, number)))
        {
            for (var writer = 0; writer < target.Load.WritersPerSession; writer++)
            {
                yield return new Writer(scene, $"writer-{number}-{writer}", session, NewRandom()).RunAsync();
            }

            yield return new Reader(scene, session, NewRandom()).RunAsync();
        }

        foreach (var (session, number) in sandboxes.Select((session, number) => (session, number)))
        {
            for (var runner = 0; runner < target.Load.RunnersPerSandbox; runner++)
            {
                yield return new Runner(scene, $"{name}-runner-{number}-{runner}", session, NewRandom()).RunAsync();
            }
        }
    }

    private IEnumerable<Task> Watch(CrashScene scene, string session)
    {
        for (var number = 0; number < target.Load.WatchersPerSession; number++)
        {
            yield return new Watcher(
                scene, $"watcher-{number}", session, $"/v2/sessions/{session}/stream", after: -1, IsLast, NewRandom()).RunAsync();
        }
    }

    private async Task StrikeAsync(int cycles, Task[] work, CancellationTokenSource ending, CancellationToken givenUp)
    {
        for (var cycle = 0; cycle < cycles; cycle++)
        {
            // A client that fails ends the round.
            var strike = target.StrikeAsync(_history, random, givenUp);
            await Task.WhenAny([strike, .. work]);
            if (Array.Find(work, task => task.IsFaulted) is { } failed)
            {
                await failed;
            }

            _found.AddRange(await strike);
        }

        await ending.CancelAsync();
        await Task.WhenAll(work);
        say($"{name}: nobody begins anything new.");
    }

    private async Task EndAsync(
        CrashScene scene, ImmutableArray<string> sessions, List<Task> watchers, AccountWatch account, CancellationTokenSource givenUp)
    {
        foreach (var session in sessions)
        {
            await new Writer(scene, "closer", session, random).CloseAsync($"{session} {LastPayload}");
        }

        // From here on nothing fails any more, so whoever waits longer waits in vain.
        givenUp.CancelAfter(EndLimit);
        var reader = new FinalReader(target, scene.Client, _history, name, sessions, IsLast);
        _history.Add(await reader.ReadAsync("at the end", givenUp.Token));
        await Task.WhenAll(watchers);
        if (await reader.ReadExportAsync("in the export", givenUp.Token) is { } export)
        {
            _history.Add(export);
        }

        // What a kill left is sound, before the next start has mended anything.
        _found.AddRange(await target.RestartAsync(_history, givenUp.Token));
        var last = await reader.ReadAsync("after a restart", givenUp.Token);
        _history.Add(last);
        await account.EndAsync(last, givenUp.Token);
        say($"{name}: all is read.");
    }

    private static bool IsLast(StreamEvent seen) =>
        seen.Kind == "entry" && EventData.EntryOf(seen).Entry.Content?.EndsWith(LastPayload, StringComparison.Ordinal) == true;

    /// <summary>Every client has its own, so that they do not depend on the order in which they happen to draw.</summary>
    private Random NewRandom() => new(random.Next());
}
