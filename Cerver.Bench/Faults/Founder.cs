using System.Text.Json;
using Cerver.Bench.Histories;

namespace Cerver.Bench.Faults;

/// <summary>Creates sessions, each with a key, until there is an answer.</summary>
internal sealed class Founder(CrashScene scene, string prefix, Random random)
{
    private const int MaxPauseMilliseconds = 1_500;

    /// <summary>Creates sessions without compute until the end.</summary>
    public async Task RunAsync()
    {
        for (var number = 0; !scene.Ending.IsCancellationRequested; number++)
        {
            await CreateAsync($"{prefix}-late-{number}", withSandbox: false);
            await scene.PauseAsync(random, MaxPauseMilliseconds);
        }
    }

    /// <summary>Creates a session and returns its id.</summary>
    /// <param name="name">Its name, which is its key too.</param>
    /// <param name="withSandbox">Whether it gets a local sandbox; else it only holds a transcript.</param>
    /// <exception cref="BenchException">It was refused.</exception>
    public async Task<string> CreateAsync(string name, bool withSandbox)
    {
        Creation? last = null;
        await scene.PersistAsync(hasKey: true, async () => (last = await AttemptAsync(name, withSandbox))?.Outcome);
        return last?.Session ?? throw new BenchException($"The session '{name}' was refused.");
    }

    private async Task<Creation?> AttemptAsync(string name, bool withSandbox)
    {
        var body = withSandbox
            ? JsonSerializer.Serialize(new { session_name = name, compute = "local", requirements = new { runtime = "shell" } })
            : JsonSerializer.Serialize(new { session_name = name, session_type = "transcript" });
        var started = scene.History.Now;
        var reply = await scene.Client.AskAsync(HttpMethod.Post, "/v2/sessions", body, key: name, scene.GivenUp);
        if (reply.Outcome is not { } outcome)
        {
            return null;
        }

        var id = outcome == Outcome.Acknowledged ? reply.Body.GetProperty("session_id").GetString() : null;
        var creation = new Creation(name, name, started, scene.History.Now, outcome, id);
        scene.History.Add(creation);
        return creation;
    }
}
