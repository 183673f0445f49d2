using System.Collections.Immutable;
using System.Text.Json;
using Cerver.Bench.Histories;

namespace Cerver.Bench.Faults;

/// <summary>Appends to one session: one request after the other, some with a key, and those again and again until there is an answer, and sometimes after it.</summary>
internal sealed class Writer(CrashScene scene, string name, string session, Random random)
{
    private const int MaxPauseMilliseconds = 20;
    private const int MaxEntries = 4;

    /// <summary>Writes until the end.</summary>
    public async Task RunAsync()
    {
        for (var number = 0; !scene.Ending.IsCancellationRequested; number++)
        {
            // One in ten has several entries, which stand together or not at all.
            var count = random.Next(10) == 0 ? random.Next(2, MaxEntries + 1) : 1;
            var payloads = Enumerable.Range(0, count).Select(part => $"{name}-{number}-{part}").ToImmutableArray();
            await AppendAsync(payloads, random.Next(2) == 0 ? $"{name}-{number}" : null);
            await scene.PauseAsync(random, MaxPauseMilliseconds);
        }
    }

    /// <summary>Appends with a key and returns when it is acknowledged.</summary>
    /// <exception cref="BenchException">It was refused.</exception>
    public async Task CloseAsync(string payload)
    {
        if (await scene.PersistAsync(hasKey: true, () => AttemptAsync([payload], key: payload)) != Outcome.Acknowledged)
        {
            throw new BenchException($"The last entry of session {session} was refused.");
        }
    }

    private async Task AppendAsync(ImmutableArray<string> payloads, string? key)
    {
        if (key is null)
        {
            await scene.PersistAsync(hasKey: false, () => AttemptAsync(payloads, key: null));
            return;
        }

        // One in twenty is sent twice at the same time, one in ten once more when it was answered.
        var together = random.Next(20) == 0 ? 2 : 1;
        await Task.WhenAll(Enumerable.Range(0, together).Select(_ => scene.PersistAsync(hasKey: true, () => AttemptAsync(payloads, key))));
        if (random.Next(10) == 0)
        {
            await scene.PersistAsync(hasKey: true, () => AttemptAsync(payloads, key));
        }
    }

    private async Task<Outcome?> AttemptAsync(ImmutableArray<string> payloads, string? key)
    {
        var body = JsonSerializer.Serialize(new { entries = payloads.Select(content => new { role = "user", content }) });
        var started = scene.History.Now;
        var reply = await scene.Client.AskAsync(HttpMethod.Post, $"/v2/sessions/{session}/transcript", body, key, scene.GivenUp);
        if (reply.Outcome is { } outcome)
        {
            long? total = outcome == Outcome.Acknowledged ? reply.Body.GetProperty("transcriptTotal").GetInt64() : null;
            if (total is not null)
            {
                scene.Target.NoteUse();
            }

            scene.History.Add(new Append(name, session, payloads, key, started, scene.History.Now, outcome, total));
        }

        return reply.Outcome;
    }
}
