using System.Text;
using System.Text.Json;
using Cerver.Bench.Histories;

namespace Cerver.Bench.Faults;

/// <summary>Runs programs that print numbered lines in one session's sandbox, one after the other, and watches them.</summary>
internal sealed class Runner(CrashScene scene, string name, string session, Random random)
{
    private const string RunIdHeader = "Cerver-Run-Id";
    private const int MaxPauseMilliseconds = 200;

    private readonly List<Task> _watchers = [];

    /// <summary>Starts runs until the end; returns when all of its watchers have seen the ends of theirs.</summary>
    public async Task RunAsync()
    {
        for (var number = 0; !scene.Ending.IsCancellationRequested; number++)
        {
            var (code, output) = Program($"{scene.Target.Mark}-{name}-{number}");
            var key = random.Next(3) == 0 ? null : $"{name}-{number}";
            var started = string.Empty;
            await scene.PersistAsync(key is not null, async () =>
            {
                var (outcome, run) = await AttemptAsync(code, output, key, new Random(random.Next()));
                started = run ?? started;
                return outcome;
            });
            if (started.Length > 0)
            {
                await FollowAsync(started);
            }

            await scene.PauseAsync(random, MaxPauseMilliseconds);
            _watchers.RemoveAll(watcher => watcher.IsCompletedSuccessfully);
        }

        await Task.WhenAll(_watchers);
    }

    /// <summary>A program and what it prints. Some print fast, some slowly, some leave a process behind that nobody but the end of the sandbox ends.</summary>
    private (string Code, string Output) Program(string mark)
    {
        var isFast = random.Next(3) == 0;
        var lines = isFast ? random.Next(1, 3_000) : random.Next(1, 40);
        var left = random.Next(4) == 0 ? $"setsid bash -c 'exec -a {mark} sleep 1000' </dev/null >/dev/null 2>&1 &\n" : string.Empty;
        var wait = isFast ? string.Empty : FormattableString.Invariant($"; sleep {scene.Target.Load.LineInterval.TotalSeconds}");
        var output = new StringBuilder();
        for (var line = 0; line < lines; line++)
        {
            output.Append(mark).Append(" ☃ ").Append(line).Append('\n');
        }

        return ($"{left}for ((line = 0; line < {lines}; line++)); do echo \"{mark} ☃ $line\"{wait}; done", output.ToString());
    }

    private async Task<(Outcome? Outcome, string? Run)> AttemptAsync(string code, string output, string? key, Random stays)
    {
        var body = JsonSerializer.Serialize(new { code });
        var started = scene.History.Now;
        try
        {
            using var response = await scene.Client.OpenAsync(
                HttpMethod.Post, $"/v2/sessions/{session}/run/stream", body, key, after: -1, scene.GivenUp);
            var outcome = GatewayClient.OutcomeOf((int)response.StatusCode);
            var run = outcome == Outcome.Acknowledged ? response.Headers.GetValues(RunIdHeader).Single() : null;
            scene.History.Add(new RunStart(session, code, output, key, started, scene.History.Now, outcome, run));
            if (run is not null)
            {
                // Whoever started it watches it too, goes away at a random moment, and goes on by its id.
                var watcher = Watch($"{name}, who started it", run, after: -1, stays);
                await watcher.StayAsync(response);
                _watchers.Add(watcher.RunAsync());
            }

            return (outcome, run);
        }
        catch (Exception failure) when (GatewayClient.IsBreak(failure, scene.GivenUp))
        {
            if (GatewayClient.OutcomeOf(failure) is not { } outcome)
            {
                return (null, null);
            }

            scene.History.Add(new RunStart(session, code, output, key, started, scene.History.Now, outcome, Run: null));
            return (outcome, null);
        }
    }

    private async Task FollowAsync(string run)
    {
        if (random.Next(2) == 0)
        {
            _watchers.Add(Watch($"{name}, who looks on", run, after: random.Next(-1, 1), new Random(random.Next())).RunAsync());
        }

        if (random.Next(10) == 0)
        {
            await scene.Client.AskAsync(HttpMethod.Delete, $"/v2/sessions/{session}/runs/{run}", body: null, key: null, scene.GivenUp);
        }
    }

    private Watcher Watch(string watcher, string run, long after, Random stays) =>
        new(scene, watcher, run, $"/v2/sessions/{session}/runs/{run}/stream", after, Watcher.IsEndOfRun, stays);
}
