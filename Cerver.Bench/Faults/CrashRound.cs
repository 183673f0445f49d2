using System.Collections.Immutable;
using Cerver.Bench.Gateways;
using Cerver.Bench.Histories;

namespace Cerver.Bench.Faults;

/// <summary>A number of kills with clients, sessions and a history of their own, and a check at the end.</summary>
/// <param name="gateway">The gateway.</param>
/// <param name="name">What the names of all its sessions begin with.</param>
/// <param name="random">Where its randomness comes from.</param>
/// <param name="say">Is told how it goes.</param>
internal sealed class CrashRound(UnreliableGateway gateway, string name, Random random, Action<string> say)
{
    private const int Transcripts = 3;
    private const int Sandboxes = 2;
    private const int WritersPerSession = 2;
    private const int RunnersPerSandbox = 2;
    private const int WatchersPerSession = 2;
    private const int MaxLoadMilliseconds = 1_500;
    private const string LastPayload = "the last";

    private static readonly TimeSpan CycleLimit = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan EndLimit = TimeSpan.FromSeconds(60);

    private readonly HistoryRecorder _history = new();
    private readonly List<string> _found = [];

    /// <summary>Runs it.</summary>
    /// <param name="cycles">How many kills.</param>
    /// <param name="cancellationToken">Ends it in the middle.</param>
    /// <exception cref="BenchException">The gateway does not start again, or something does not come to its end in time.</exception>
    public async Task<CrashResult> RunAsync(int cycles, CancellationToken cancellationToken)
    {
        using var ending = new CancellationTokenSource();
        using var givenUp = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        givenUp.CancelAfter((CycleLimit * cycles) + EndLimit);
        using var client = new GatewayClient(gateway.Address, gateway.Token);
        var scene = new CrashScene(gateway, client, _history, ending.Token, givenUp.Token);
        try
        {
            var transcripts = await CreateAsync(scene, "transcript", Transcripts, withSandbox: false);
            var sandboxes = await CreateAsync(scene, "sandbox", Sandboxes, withSandbox: true);
            ImmutableArray<string> sessions = [.. transcripts, .. sandboxes];
            var watchers = sessions.SelectMany(session => Watch(scene, session)).ToList();
            await KillAsync(cycles, [.. Work(scene, transcripts, sandboxes)], ending, givenUp.Token);
            await EndAsync(scene, sessions, watchers, givenUp);
            foreach (var sandbox in sandboxes)
            {
                await client.AskAsync(HttpMethod.Delete, $"/v2/sessions/{sandbox}", body: null, key: $"{sandbox}-end", givenUp.Token);
            }
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new BenchException("A round did not come to its end in time: something waits for ever.");
        }
        finally
        {
            await ending.CancelAsync();
            await givenUp.CancelAsync();
        }

        var history = _history.ToHistory();
        return new(history, [.. HistoryChecker.Check(history).Select(violation => violation.ToString()), .. _found]);
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
            for (var writer = 0; writer < WritersPerSession; writer++)
            {
                yield return new Writer(scene, $"writer-{number}-{writer}", session, NewRandom()).RunAsync();
            }

            yield return new Reader(scene, session, NewRandom()).RunAsync();
        }

        foreach (var (session, number) in sandboxes.Select((session, number) => (session, number)))
        {
            for (var runner = 0; runner < RunnersPerSandbox; runner++)
            {
                yield return new Runner(scene, $"{name}-runner-{number}-{runner}", session, NewRandom()).RunAsync();
            }
        }
    }

    private IEnumerable<Task> Watch(CrashScene scene, string session)
    {
        for (var number = 0; number < WatchersPerSession; number++)
        {
            yield return new Watcher(
                scene, $"watcher-{number}", session, $"/v2/sessions/{session}/stream", after: -1, IsLast, NewRandom()).RunAsync();
        }
    }

    private async Task KillAsync(int cycles, Task[] work, CancellationTokenSource ending, CancellationToken givenUp)
    {
        for (var cycle = 0; cycle < cycles; cycle++)
        {
            // A client that fails ends the round.
            var load = LoadAsync(givenUp);
            await Task.WhenAny([load, .. work]);
            if (Array.Find(work, task => task.IsFaulted) is { } failed)
            {
                await failed;
            }

            await load;
            var orphans = await gateway.KillAsync(_history, whenGone: null, givenUp);
            _found.AddRange(orphans.Select(orphan => $"Process {orphan.Id} of a killed gateway lives on: {orphan.CommandLine}"));
        }

        await ending.CancelAsync();
        await Task.WhenAll(work);
    }

    /// <summary>One kill in five comes while the gateway has hardly started, the others when it is at work.</summary>
    private async Task LoadAsync(CancellationToken givenUp)
    {
        if (random.Next(5) > 0)
        {
            await gateway.Used.WaitAsync(givenUp);
        }

        await Task.Delay(random.Next(MaxLoadMilliseconds), givenUp);
    }

    private async Task EndAsync(CrashScene scene, ImmutableArray<string> sessions, List<Task> watchers, CancellationTokenSource givenUp)
    {
        foreach (var session in sessions)
        {
            await new Writer(scene, "closer", session, random).CloseAsync($"{session} {LastPayload}");
        }

        // From here on nothing fails any more, so whoever waits longer waits in vain.
        givenUp.CancelAfter(EndLimit);
        var reader = new FinalReader(scene.Client, name, sessions, IsLast);
        _history.Add(await reader.ReadAsync("at the end", givenUp.Token));
        await Task.WhenAll(watchers);
        if (await reader.ReadExportAsync("in the export", givenUp.Token) is { } export)
        {
            _history.Add(export);
        }

        await gateway.KillAsync(_history, CheckAsync, givenUp.Token);
        _history.Add(await reader.ReadAsync("after a restart", givenUp.Token));
        say($"{name}: all is read.");
    }

    /// <summary>What a kill left is sound, before the next start has mended anything.</summary>
    private async Task CheckAsync(GatewayProcess killed)
    {
        using var limit = new CancellationTokenSource(EndLimit);
        _found.AddRange(await killed.CheckAsync(limit.Token));
    }

    private static bool IsLast(StreamEvent seen) =>
        seen.Kind == "entry" && EventData.EntryOf(seen).Entry.Content?.EndsWith(LastPayload, StringComparison.Ordinal) == true;

    /// <summary>Every client has its own, so that they do not depend on the order in which they happen to draw.</summary>
    private Random NewRandom() => new(random.Next());
}
