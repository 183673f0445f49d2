using System.Diagnostics;
using System.Net;

namespace Cerver.Bench.Load;

/// <summary>Clients that send a request each, or several in turn, the next one as soon as the last one is answered.</summary>
internal sealed class LoadGenerator : IAsyncDisposable
{
    private readonly List<Client> _clients = [];

    private LoadGenerator()
    {
    }

    /// <summary>Opens a connection for every request, which is sent again and again; they stay open from round to round.</summary>
    public static Task<LoadGenerator> OpenAsync(IPEndPoint endpoint, IEnumerable<ReadOnlyMemory<byte>> requests, CancellationToken cancellationToken) =>
        OpenAsync(endpoint, requests.Select(static request => (IReadOnlyList<ReadOnlyMemory<byte>>)[request]), cancellationToken);

    /// <summary>Opens a connection for every list of requests, which are sent in turn; they stay open from round to round.</summary>
    public static async Task<LoadGenerator> OpenAsync(
        IPEndPoint endpoint, IEnumerable<IReadOnlyList<ReadOnlyMemory<byte>>> requests, CancellationToken cancellationToken)
    {
        var load = new LoadGenerator();
        try
        {
            foreach (var turn in requests)
            {
                load._clients.Add(new(await HttpConnection.OpenAsync(endpoint, cancellationToken), turn));
            }
        }
        catch
        {
            await load.DisposeAsync();
            throw;
        }

        return load;
    }

    /// <summary>Sends for so long. What was under way at the end is waited for and counted, and so is its time.</summary>
    /// <exception cref="BenchException">An answer is not 2xx.</exception>
    public Task<LoadResult> SendAsync(TimeSpan duration, CancellationToken cancellationToken)
    {
        var deadline = Stopwatch.GetTimestamp() + (long)(duration.TotalSeconds * Stopwatch.Frequency);
        return SendWhileAsync(() => Stopwatch.GetTimestamp() < deadline, cancellationToken);
    }

    /// <summary>Sends so many requests, over all clients.</summary>
    /// <exception cref="BenchException">An answer is not 2xx.</exception>
    public Task<LoadResult> SendAsync(int requests, CancellationToken cancellationToken)
    {
        var left = requests;
        return SendWhileAsync(() => Interlocked.Decrement(ref left) >= 0, cancellationToken);
    }

    /// <summary>
    /// Sends so many requests a second for so long, all clients in turn. A client whose answer is late sends the next one when it has it.
    /// </summary>
    /// <exception cref="BenchException">An answer is not 2xx.</exception>
    public Task<LoadResult> SendAsync(double perSecond, TimeSpan duration, CancellationToken cancellationToken)
    {
        var period = TimeSpan.FromSeconds(_clients.Count / perSecond);
        var requests = (int)Math.Round(duration / period);
        return SendAsync((client, number) => client.SendAsync(requests, period, period * number / _clients.Count, cancellationToken));
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync()
    {
        foreach (var client in _clients)
        {
            client.Connection.Dispose();
        }

        return ValueTask.CompletedTask;
    }

    private Task<LoadResult> SendWhileAsync(Func<bool> goesOn, CancellationToken cancellationToken) =>
        SendAsync((client, _) => client.SendWhileAsync(goesOn, cancellationToken));

    private async Task<LoadResult> SendAsync(Func<Client, int, Task> send)
    {
        var started = Stopwatch.GetTimestamp();
        await Task.WhenAll(_clients.Select(send));
        var elapsed = Stopwatch.GetElapsedTime(started);
        return new(elapsed, [.. _clients.SelectMany(client => client.Times).Order()]);
    }

    private sealed record Client(HttpConnection Connection, IReadOnlyList<ReadOnlyMemory<byte>> Requests)
    {
        private int _next;

        /// <summary>How long each request of the last round took, in ticks of the stopwatch.</summary>
        public List<long> Times { get; } = [];

        public async Task SendWhileAsync(Func<bool> goesOn, CancellationToken cancellationToken)
        {
            Times.Clear();
            while (goesOn())
            {
                await SendAsync(cancellationToken);
            }
        }

        public async Task SendAsync(int requests, TimeSpan period, TimeSpan first, CancellationToken cancellationToken)
        {
            Times.Clear();
            await Task.Delay(first, cancellationToken);
            using var turns = new PeriodicTimer(period);
            while (Times.Count < requests)
            {
                await SendAsync(cancellationToken);
                await turns.WaitForNextTickAsync(cancellationToken);
            }
        }

        private async Task SendAsync(CancellationToken cancellationToken)
        {
            var sent = Stopwatch.GetTimestamp();
            await Connection.ExchangeAsync(Requests[_next++ % Requests.Count], cancellationToken);
            Times.Add(Stopwatch.GetTimestamp() - sent);
        }
    }
}

/// <summary>What came of a round of requests.</summary>
/// <param name="Elapsed">How long it took.</param>
/// <param name="Times">How long each request took, in ticks of the stopwatch, shortest first.</param>
internal sealed record LoadResult(TimeSpan Elapsed, IReadOnlyList<long> Times)
{
    /// <summary>Requests per second.</summary>
    public double PerSecond => Times.Count / Elapsed.TotalSeconds;

    /// <summary>The time in milliseconds within which this share of the requests, 0..1, was answered.</summary>
    public double Milliseconds(double share) =>
        1_000.0 * Times[(int)(share * (Times.Count - 1))] / Stopwatch.Frequency;
}
