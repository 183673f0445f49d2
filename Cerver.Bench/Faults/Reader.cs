using System.Collections.Immutable;
using System.Text.Json;
using Cerver.Bench.Histories;

namespace Cerver.Bench.Faults;

/// <summary>Reads the last part of one session's transcript again and again.</summary>
internal sealed class Reader(CrashScene scene, string session, Random random)
{
    private const int MaxPauseMilliseconds = 60;
    private const int MaxEntries = 20;

    /// <summary>Reads until the end.</summary>
    public async Task RunAsync()
    {
        var known = 0L;
        while (!scene.Ending.IsCancellationRequested)
        {
            await scene.Target.Up.WaitAsync(scene.GivenUp);
            var count = random.Next(1, MaxEntries);
            var slice = random.Next(2) == 0 ? $"tail={count}" : $"since={Math.Max(0, known - count)}";
            var started = scene.History.Now;
            var reply = await scene.Client.AskAsync(HttpMethod.Get, $"/v2/sessions/{session}?{slice}", body: null, key: null, scene.GivenUp);
            if (reply.Outcome == Outcome.Acknowledged)
            {
                var (total, entries) = Read(reply.Body);
                var first = slice[0] == 't' ? total - entries.Length : Math.Max(0, known - count);
                scene.History.Add(new PageRead(session, first, total, entries, started, scene.History.Now));
                known = total;
            }

            await scene.PauseAsync(random, MaxPauseMilliseconds);
        }
    }

    /// <summary>What a session's record with its transcript says.</summary>
    public static (long Total, ImmutableArray<LogEntry> Entries) Read(JsonElement session) =>
        (session.GetProperty("transcriptTotal").GetInt64(), [.. session.GetProperty("transcript").EnumerateArray().Select(EventData.EntryOf)]);
}
