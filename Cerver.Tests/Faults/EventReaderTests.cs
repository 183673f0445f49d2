using System.IO.Pipelines;
using System.Text;
using Cerver.Bench.Histories;

namespace Cerver.Tests.Faults;

public sealed class EventReaderTests
{
    [Fact]
    public async Task A_stream_that_falls_silent_counts_as_broken_and_one_that_pings_does_not()
    {
        var pipe = new Pipe();
        using var response = new HttpResponseMessage { Content = new StreamContent(pipe.Reader.AsStream()) };
        var reader = new EventReader(response, new HistoryRecorder(), silenceLimit: TimeSpan.FromSeconds(1));
        await using var events = reader.ReadAsync(CancellationToken.None).GetAsyncEnumerator();

        await pipe.Writer.WriteAsync(Encoding.UTF8.GetBytes("id: 3\nevent: run\ndata: {}\n\n"));
        Assert.True(await events.MoveNextAsync());
        Assert.Equal(new StreamEvent(3, "run", "{}"), events.Current);

        var next = events.MoveNextAsync().AsTask();
        for (var ping = 0; ping < 6; ping++)
        {
            await Task.Delay(200);
            await pipe.Writer.WriteAsync(Encoding.UTF8.GetBytes(": ping\n\n"));
        }

        Assert.False(next.IsCompleted);
        await Assert.ThrowsAsync<IOException>(() => next);
    }
}
