using Cerver.Api.Runs;
using Cerver.Errors;
using Cerver.Runs;
using CsCheck;

namespace Cerver.Tests.Runs;

/// <summary>
/// The hub beside the simplest model of it: whoever watches gets the rows after his position. The events of the run are lost, repeated,
/// reordered, delayed and cut at random; watchers come at random positions, are slow, leave and return; everything runs as concurrently as
/// it does in the gateway.
/// </summary>
public sealed class RunHubModelTests
{
    private const int Schedules = 2_000;

    /// <summary>Only ever waited for when the hub hangs.</summary>
    private static readonly TimeSpan Hang = TimeSpan.FromSeconds(30);

    private static readonly Gen<Step> AnyStep = Gen.Select(
        Gen.Frequency(
            (6, Gen.Const(Act.Write)), (1, Gen.Const(Act.WriteLarge)), (1, Gen.Const(Act.Purge)), (2, Gen.Const(Act.Publish)),
            (6, Gen.Const(Act.Deliver)), (2, Gen.Const(Act.Repeat)), (2, Gen.Const(Act.Lose)), (1, Gen.Const(Act.Foreign)), (2, Gen.Const(Act.Answer)),
            (3, Gen.Const(Act.Join)), (6, Gen.Const(Act.Read)), (2, Gen.Const(Act.Leave)), (4, Gen.Const(Act.Yield))),
        Gen.Int[0, 50],
        Gen.Int[1, 6],
        static (act, index, count) => new Step(act, index, count));

    private static readonly Gen<(Step[] Steps, int PageRows, int Refusals)> Schedule =
        Gen.Select(AnyStep.Array[0, 120], Gen.Int[1, 5], Gen.Frequency((3, Gen.Const(0)), (1, Gen.Int[1, 3])));

    private enum Act
    {
        Write,
        WriteLarge,
        Purge,
        Publish,
        Deliver,
        Repeat,
        Lose,
        Foreign,
        Answer,
        Join,
        Read,
        Leave,
        Yield,
    }

    [Fact]
    public Task Every_watcher_gets_exactly_the_rows_after_its_position_whatever_happens_to_the_events() => Schedule.SampleAsync(
        static async schedule =>
        {
            var world = new RunWorld(schedule.PageRows);
            world.RefuseSubscriptions(schedule.Refusals);
            var watchers = await PlayAsync(world, schedule.Steps);

            world.Close();
            watchers.ForEach(static watcher => watcher.ReadOn());
            await Task.WhenAll(watchers.Select(static watcher => watcher.Watching)).WaitAsync(Hang);
            await world.DeliveredAsync().WaitAsync(Hang);

            foreach (var watcher in watchers)
            {
                Assert.Equal(world.RowsAfter(watcher.Start).Select(Name), watcher.Seen.Select(Name));
                watcher.Dispose();
            }
        },
        iter: Schedules);

    [Fact]
    public Task A_failure_of_the_sandbox_reaches_every_watcher_and_what_it_saw_before_is_whole() => Schedule.SampleAsync(
        static async schedule =>
        {
            var failure = new CerverException(CerverError.ComputeOffline, "The sandbox cannot be reached.");
            var world = new RunWorld(schedule.PageRows);
            var watchers = await PlayAsync(world, schedule.Steps);

            world.Fail(failure);
            watchers.ForEach(static watcher => watcher.ReadOn());

            foreach (var watcher in watchers)
            {
                Assert.Same(failure, await Assert.ThrowsAsync<CerverException>(() => watcher.Watching.WaitAsync(Hang)));
                Assert.Equal(world.RowsAfter(watcher.Start).Take(watcher.Seen.Count).Select(Name), watcher.Seen.Select(Name));
                watcher.Dispose();
            }
        },
        iter: Schedules / 4);

    [Fact]
    public async Task However_many_watch_there_is_one_subscription()
    {
        var world = new RunWorld(pageRows: 5);
        var hub = new RunHub(world);
        world.Write(3, large: false);
        var watchers = Enumerable.Range(0, 50).Select(number => new Watcher(hub, world, number % 3)).ToList();

        world.Write(3, large: false);
        world.Close();
        watchers.ForEach(static watcher => watcher.ReadOn());
        await Task.WhenAll(watchers.Select(static watcher => watcher.Watching)).WaitAsync(Hang);

        Assert.InRange(world.Subscriptions, 0, 1);
        Assert.All(watchers, watcher => Assert.Equal(world.RowsAfter(watcher.Start), watcher.Seen));
        watchers.ForEach(static watcher => watcher.Dispose());
    }

    [Fact]
    public async Task A_run_whose_stream_cannot_be_subscribed_to_is_followed_by_its_rows_and_subscribed_to_later()
    {
        var world = new RunWorld(pageRows: 5);
        world.RefuseSubscriptions(2);
        world.Write(3, large: false);
        var watcher = new Watcher(new RunHub(world), world, after: 0);
        watcher.ReadOn();

        for (var looks = 0; world.Subscriptions == 0; looks++)
        {
            Assert.InRange(looks, 0, 1_000_000);
            world.Answer();
            await Task.Yield();
        }

        world.Write(2, large: false);
        world.Close();
        await watcher.Watching.WaitAsync(Hang);

        Assert.Equal(world.RowsAfter(0), watcher.Seen);
        watcher.Dispose();
    }

    private static async Task<List<Watcher>> PlayAsync(RunWorld world, Step[] steps)
    {
        var hub = new RunHub(world);
        var watchers = new List<Watcher> { new(hub, world, after: 0) };
        foreach (var (act, index, count) in steps)
        {
            var watcher = watchers[index % watchers.Count];
            switch (act)
            {
                case Act.Write or Act.WriteLarge:
                    world.Write(count, large: act == Act.WriteLarge);
                    break;
                case Act.Purge:
                    world.Purge(count);
                    break;
                case Act.Publish:
                    world.Publish(index, count);
                    break;
                case Act.Deliver or Act.Repeat:
                    world.Deliver(index, again: act == Act.Repeat);
                    break;
                case Act.Lose:
                    world.Lose(index);
                    break;
                case Act.Foreign:
                    world.DeliverForeign(count);
                    break;
                case Act.Answer:
                    world.Answer();
                    break;
                case Act.Join:
                    watchers.Add(new Watcher(hub, world, index % (world.Head + 1)));
                    break;
                case Act.Read:
                    watcher.Read(count);
                    break;
                case Act.Leave:
                    await watcher.LeaveAsync();
                    break;
                case Act.Yield:
                    await Task.Yield();
                    break;
            }
        }

        return watchers;
    }

    private static string Name(RunChunk chunk) => $"{chunk.Sequence}, {chunk.Kind}, {chunk.Data.Length} bytes";

    private sealed record Step(Act Act, int Index, int Count);

    /// <summary>One who watches at his own speed, and comes back with the last number he saw when he was cut off.</summary>
    private sealed class Watcher : IDisposable
    {
        private readonly RunHub _hub;
        private readonly RunWorld _world;
        private readonly SemaphoreSlim _allowed = new(0);
        private CancellationTokenSource _visit = new();

        public Watcher(RunHub hub, RunWorld world, long after)
        {
            _hub = hub;
            _world = world;
            Start = after;
            Watching = Task.Run(WatchAsync);
        }

        public long Start { get; }

        public List<RunChunk> Seen { get; } = [];

        public Task Watching { get; }

        /// <summary>Is ready for more, but only so much.</summary>
        public void Read(int count) => _allowed.Release(count);

        /// <summary>Is ready for whatever comes.</summary>
        public void ReadOn() => _allowed.Release(1_000_000);

        /// <summary>Is cut off, and returns at once.</summary>
        public Task LeaveAsync() => Interlocked.Exchange(ref _visit, new CancellationTokenSource()).CancelAsync();

        public void Dispose()
        {
            _allowed.Dispose();
            _visit.Dispose();
        }

        private async Task WatchAsync()
        {
            while (true)
            {
                var visit = Volatile.Read(ref _visit);
                try
                {
                    await foreach (var chunk in _hub.WatchAsync("alice", _world.Record, Seen.Count == 0 ? Start : Seen[^1].Sequence, visit.Token))
                    {
                        Seen.Add(chunk);
                        await _allowed.WaitAsync(visit.Token);
                    }

                    return;
                }
                catch (OperationCanceledException) when (visit.IsCancellationRequested)
                {
                    // Here again.
                }
            }
        }
    }
}
