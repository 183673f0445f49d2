using Cerver.Api.Sessions.Streams;
using Cerver.Api.Streams;
using Cerver.Sessions;

namespace Cerver.Tests.Streams;

/// <summary>How a session is followed, over rows that the test writes between any two reads.</summary>
public sealed class SessionWatchTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public async Task A_watcher_gets_everything_up_to_the_end_whenever_that_is_written(int reads)
    {
        var source = new ScriptedSource(endAfterReads: reads);
        var tails = new LiveTails<SessionEvent>();

        var seen = new List<long>();
        await foreach (var happened in tails.ReadAsync("session", () => new SessionWatch(source), after: 0, CancellationToken.None))
        {
            seen.Add(happened.Position);
        }

        Assert.Equal([0, 1, 2, 3, 4], seen);
    }

    [Fact]
    public async Task A_failure_to_read_reaches_the_watcher()
    {
        var source = new ScriptedSource(endAfterReads: int.MaxValue) { Failure = new InvalidOperationException("broken") };
        var tails = new LiveTails<SessionEvent>();

        await Assert.ThrowsAsync<InvalidOperationException>(async () =>
        {
            await foreach (var _ in tails.ReadAsync("session", () => new SessionWatch(source), after: 0, CancellationToken.None))
            {
                Assert.Fail("Nothing can be read.");
            }
        });
    }

    /// <summary>Three events, and two more, the last of them the end, after so many reads.</summary>
    private sealed class ScriptedSource(int endAfterReads) : ISessionSource
    {
        private readonly SessionEvent[] _events =
        [
            new StatusChanged(0, SessionStatus.Idle, EndReason: null), new RunBegan(1, "run"), new RunBegan(2, "run"), new RunBegan(3, "run"),
            new StatusChanged(4, SessionStatus.Ended, EndReason: null),
        ];

        private int _reads;

        public Exception? Failure { get; init; }

        public Task<SessionEventPage> ReadAsync(long from, CancellationToken cancellationToken)
        {
            if (Failure is not null)
            {
                throw Failure;
            }

            var head = Interlocked.Increment(ref _reads) > endAfterReads ? 5 : 3;
            return Task.FromResult(new SessionEventPage(head, [.. _events.Take(head).Where(happened => happened.Position >= from)]));
        }

        public Task<long> WaitAsync(long known, TimeSpan atMost, CancellationToken cancellationToken) => Task.FromResult(known + 1);
    }
}
