using System.IO.Pipelines;
using System.Text;
using Cerver.Bench.Histories;
using Microsoft.Extensions.Time.Testing;

namespace Cerver.Tests.Faults;

public sealed class EventReaderTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(1);

    [Fact]
    public async Task A_stream_that_falls_silent_counts_as_broken_and_one_that_pings_does_not()
    {
        var time = new FakeTimeProvider();
        var pipe = new Pipe();
        using var response = new HttpResponseMessage { Content = new StreamContent(pipe.Reader.AsStream()) };
        var reader = new EventReader(response, new HistoryRecorder(), Limit, time);
        await using var events = reader.ReadAsync(CancellationToken.None).GetAsyncEnumerator();

        for (var position = 0; position < 6; position++)
        {
            var next = events.MoveNextAsync().AsTask();
            time.Advance(Limit * 0.9);
            Assert.False(next.IsCompleted);
            await pipe.Writer.WriteAsync(Encoding.UTF8.GetBytes($": ping\n\nid: {position}\nevent: run\ndata: {{}}\n\n"));
            Assert.True(await next);
            Assert.Equal(new StreamEvent(position, "run", "{}"), events.Current);
        }

        var silent = events.MoveNextAsync().AsTask();
        time.Advance(Limit);
        await Assert.ThrowsAsync<IOException>(() => silent);
    }
}
