using System.Collections.Immutable;
using Cerver.Bench.Histories;

namespace Cerver.Bench.Faults;

/// <summary>
/// Watches a stream to its end, whatever happens to the gateway: it goes away at random moments of its own too, and always comes back
/// with the id of the last event that it has.
/// </summary>
/// <param name="scene">What it shares with the others.</param>
/// <param name="name">Its name.</param>
/// <param name="stream">The id of the run or of the session.</param>
/// <param name="path">Where the stream is.</param>
/// <param name="after">The id after which it begins; -1 for the beginning.</param>
/// <param name="isEnd">Whether an event is the last one.</param>
/// <param name="random">Says when to go away.</param>
internal sealed class Watcher(
    CrashScene scene, string name, string stream, string path, long after, Func<StreamEvent, bool> isEnd, Random random)
{
    private static readonly TimeSpan MinStay = TimeSpan.FromMilliseconds(30);
    private static readonly TimeSpan RetryInterval = TimeSpan.FromMilliseconds(20);

    private ImmutableList<StreamEvent> _events = [];
    private bool _stays;

    /// <summary>What it has seen until now. Anybody may ask while it watches.</summary>
    public ImmutableList<StreamEvent> Seen => Volatile.Read(ref _events);

    private long LastId => _events is [.., var last] ? last.Id : after;

    private bool ReachedEnd => _events is [.., var last] && isEnd(last);

    /// <summary>Whether an event is the end of a run.</summary>
    public static bool IsEndOfRun(StreamEvent seen) =>
        seen.Kind == "exit" || (seen.Kind == "error" && EventData.TextOf(seen, "code") == "run_lost");

    /// <summary>Watches to the end and writes down what it saw; also when it is given up.</summary>
    public async Task RunAsync()
    {
        try
        {
            while (!ReachedEnd && !scene.GivenUp.IsCancellationRequested)
            {
                await scene.Target.Up.WaitAsync(scene.GivenUp);
                await ComeBackAsync();
                await Task.Delay(RetryInterval * scene.Target.Load.Ease, scene.GivenUp);
            }
        }
        catch (OperationCanceledException) when (scene.GivenUp.IsCancellationRequested)
        {
            // What it has until now is what it has seen.
        }

        scene.History.Add(new Watched(name, stream, after, [.. _events], ReachedEnd));
    }

    /// <summary>Takes what a response brings until the stream ends or breaks, or the watcher has had enough of it.</summary>
    public async Task StayAsync(HttpResponseMessage response)
    {
        using var stay = NewStay();
        await StayAsync(response, stay.Token);
    }

    private async Task ComeBackAsync()
    {
        using var stay = NewStay();
        try
        {
            using var response = await scene.Client.OpenAsync(HttpMethod.Get, path, body: null, key: null, LastId, stay.Token);
            if (response.IsSuccessStatusCode)
            {
                await StayAsync(response, stay.Token);
            }
        }
        catch (Exception failure) when (GatewayClient.IsBreak(failure, scene.GivenUp))
        {
            // The next time, then.
        }
    }

    private async Task StayAsync(HttpResponseMessage response, CancellationToken stay)
    {
        var last = scene.History.Now;
        var most = !_stays && random.Next(3) == 0 ? random.Next(1, 10) : int.MaxValue;
        var reader = scene.Client.EventsOf(response);
        try
        {
            await foreach (var seen in reader.ReadAsync(stay))
            {
                if (IsBreakOff(seen))
                {
                    // What the gateway tried since the event before it.
                    scene.Client.NoteBreak($"GET {path}", seen.Data, last);
                    return;
                }

                last = scene.History.Now;
                Volatile.Write(ref _events, _events.Add(seen));
                if (--most == 0 || isEnd(seen))
                {
                    return;
                }
            }
        }
        catch (Exception failure) when (GatewayClient.IsBreak(failure, scene.GivenUp))
        {
            // It comes back. If it did not go away by itself somebody else broke off.
            if (failure is not OperationCanceledException)
            {
                scene.Client.NoteBreak($"GET {path}", failure.Message, reader.Heard);
            }
        }
    }

    private CancellationTokenSource NewStay()
    {
        var stay = CancellationTokenSource.CreateLinkedTokenSource(scene.GivenUp);
        _stays = scene.Target.Load.SomeStay && random.Next(3) == 0;
        if (!_stays)
        {
            stay.CancelAfter(MinStay + (random.NextDouble() * scene.Target.Load.MaxStay));
        }

        return stay;
    }

    /// <summary>An error that is not how a run ended is about this connection, and no part of the stream.</summary>
    private static bool IsBreakOff(StreamEvent seen) => seen.Kind == "error" && EventData.TextOf(seen, "code") != "run_lost";
}
