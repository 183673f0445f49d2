using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace Cerver.Tests.Relays;

/// <summary>Passes connections on to another address, until somebody breaks them.</summary>
internal sealed class BreakableLine : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly ConcurrentDictionary<Socket, bool> _sockets = new();
    private readonly Task _accepting;
    private volatile IPEndPoint _to;
    private volatile bool _isDown;
    private long _passed;

    private BreakableLine(Uri to)
    {
        _to = EndpointOf(to);
        _listener.Start();
        _accepting = AcceptAsync();
    }

    /// <summary>Begins to pass on.</summary>
    public static BreakableLine Begin(Uri to) => new(to);

    /// <summary>Where to connect to.</summary>
    public Uri Address => new($"http://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}");

    /// <summary>How many bytes went to the other address.</summary>
    public long Passed => Interlocked.Read(ref _passed);

    /// <summary>Passes new connections on to somebody else.</summary>
    public void Turn(Uri to) => _to = EndpointOf(to);

    /// <summary>Breaks every connection. New ones are passed on.</summary>
    public void Break()
    {
        foreach (var socket in _sockets.Keys)
        {
            if (_sockets.TryRemove(socket, out _))
            {
                // Without a word: what was under way is gone.
                socket.Close(0);
            }
        }
    }

    /// <summary>Breaks every connection, and every new one.</summary>
    public void Cut()
    {
        _isDown = true;
        Break();
    }

    /// <summary>Passes on again.</summary>
    public void Mend() => _isDown = false;

    public async ValueTask DisposeAsync()
    {
        _listener.Stop();
        Break();
        await _accepting;
        _listener.Dispose();
    }

    private static IPEndPoint EndpointOf(Uri address) => new(IPAddress.Loopback, address.Port);

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                var from = await _listener.AcceptSocketAsync();
                if (_isDown)
                {
                    from.Dispose();
                    continue;
                }

                var to = new Socket(SocketType.Stream, ProtocolType.Tcp);
                _sockets[from] = true;
                _sockets[to] = true;
                _ = PassAsync(from, to);
            }
        }
        catch (Exception stopped) when (stopped is SocketException or ObjectDisposedException)
        {
            // Nobody listens any more.
        }
    }

    private async Task PassAsync(Socket from, Socket to)
    {
        try
        {
            await to.ConnectAsync(_to);
            await Task.WhenAny(CopyAsync(from, to, count => Interlocked.Add(ref _passed, count)), CopyAsync(to, from, static _ => { }));
        }
        catch (Exception broken) when (broken is SocketException or ObjectDisposedException)
        {
            // Whoever speaks over it finds out.
        }
        finally
        {
            from.Dispose();
            to.Dispose();
            _sockets.TryRemove(from, out _);
            _sockets.TryRemove(to, out _);
        }
    }

    private static async Task CopyAsync(Socket from, Socket to, Action<int> passed)
    {
        var part = new byte[64 * 1024];
        try
        {
            while (await from.ReceiveAsync(part) is > 0 and var count)
            {
                passed(count);
                for (var sent = 0; sent < count;)
                {
                    sent += await to.SendAsync(part.AsMemory(sent, count - sent));
                }
            }
        }
        catch (Exception broken) when (broken is SocketException or ObjectDisposedException)
        {
            // The other direction ends with it.
        }
    }
}
