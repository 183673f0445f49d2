using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace Cerver.Tests.Storage;

/// <summary>A way to a server, at a port of 127.0.0.1, on which what the server answers gets lost when a test wants it.</summary>
internal sealed class ReplyLoss : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, port: 0);
    private readonly ConcurrentBag<TcpClient> _ends = [];
    private readonly ConcurrentBag<Task> _pumps = [];
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _accepting;
    private volatile bool _losesReplies;

    public ReplyLoss(string host, int port)
    {
        _listener.Start();
        _accepting = AcceptAsync(host, port);
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    /// <summary>From now on the server hears everything, and nobody hears of it.</summary>
    public void LoseReplies() => _losesReplies = true;

    /// <summary>All connections break. New ones are sound.</summary>
    public void Break()
    {
        while (_ends.TryTake(out var end))
        {
            end.Dispose();
        }

        _losesReplies = false;
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _accepting;
        Break();
        await Task.WhenAll(_pumps);
        _listener.Dispose();
        _stop.Dispose();
    }

    private async Task AcceptAsync(string host, int port)
    {
        try
        {
            while (true)
            {
                var client = await _listener.AcceptTcpClientAsync(_stop.Token);
                var server = new TcpClient { NoDelay = true };
                client.NoDelay = true;
                _ends.Add(client);
                _ends.Add(server);
                await server.ConnectAsync(host, port, _stop.Token);
                _pumps.Add(PumpAsync(client, server, areReplies: false));
                _pumps.Add(PumpAsync(server, client, areReplies: true));
            }
        }
        catch (OperationCanceledException)
        {
            // The test is over.
        }
    }

    private async Task PumpAsync(TcpClient from, TcpClient to, bool areReplies)
    {
        try
        {
            var buffer = new byte[8192];
            while (await from.GetStream().ReadAsync(buffer) is > 0 and var count)
            {
                if (!areReplies || !_losesReplies)
                {
                    await to.GetStream().WriteAsync(buffer.AsMemory(0, count));
                }
            }
        }
        catch (Exception gone) when (gone is IOException or ObjectDisposedException or InvalidOperationException)
        {
            // Either end may go at any time.
        }

        from.Dispose();
        to.Dispose();
    }
}
