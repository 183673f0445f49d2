using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;

namespace Cerver.Bench.Gateways;

/// <summary>Ports for servers of the bench.</summary>
internal static class FreePort
{
    /// <summary>
    /// Below the ports that the system gives to whoever connects: a server that is started again must find its port free.
    /// </summary>
    private const int First = 12_000;

    private const int Last = 32_000;
    private const int MaxAttempts = 1_000;

    /// <summary>A port of 127.0.0.1 at which nobody listens now.</summary>
    /// <exception cref="BenchException">There is none.</exception>
    public static int Find()
    {
        for (var attempt = 0; attempt < MaxAttempts; attempt++)
        {
            var port = RandomNumberGenerator.GetInt32(First, Last);
            if (IsFree(port))
            {
                return port;
            }
        }

        throw new BenchException($"No port from {First} to {Last} is free.");
    }

    /// <summary>Some of them, each another one.</summary>
    /// <exception cref="BenchException">There are not as many.</exception>
    public static IReadOnlyList<int> Find(int count)
    {
        var ports = new HashSet<int>();
        while (ports.Count < count)
        {
            ports.Add(Find());
        }

        return [.. ports];
    }

    private static bool IsFree(int port)
    {
        try
        {
            using var listener = new TcpListener(IPAddress.Loopback, port) { ExclusiveAddressUse = true };
            listener.Start();
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
