using System.Net;
using System.Net.Sockets;
using Cerver.Grains.Secrets.Backends;

namespace Cerver.Tests.Secrets.Backends;

/// <summary>What no fake of a backend can be: servers that do not speak HTTP, and none at all.</summary>
public sealed class BackendHttpTests
{
    [Fact]
    public async Task A_connection_that_nobody_accepts_is_nobody_there()
    {
        // The system answers as many connections as may wait, and nobody else.
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen(backlog: 0);
        var address = (IPEndPoint)listener.LocalEndPoint!;
        using var waiting = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await waiting.ConnectAsync(address);

        var failure = await FailureAsync($"http://{address}");

        Assert.Equal((BackendFault.Unreachable, null), (failure.Fault, failure.Status));
    }

    [Fact]
    public async Task A_server_without_a_certificate_is_not_trusted()
    {
        await using var plain = await FakeBackend.StartAsync(static _ => Task.CompletedTask, port: 0);

        var failure = await FailureAsync(plain.Address.Replace("http:", "https:", StringComparison.Ordinal));

        Assert.Equal(BackendFault.Untrusted, failure.Fault);
    }

    [Fact]
    public async Task A_server_that_speaks_something_else_is_told_so()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var answers = AnswerAsync(listener);

        var failure = await FailureAsync($"http://{listener.LocalEndpoint}");
        await answers;

        Assert.Equal(BackendFault.NotUnderstood, failure.Fault);
    }

    private static async Task AnswerAsync(TcpListener listener)
    {
        using var client = await listener.AcceptTcpClientAsync();
        await using var stream = client.GetStream();
        Assert.NotEqual(0, await stream.ReadAtLeastAsync(new byte[4096], 1));
        await stream.WriteAsync("SSH-2.0-something-else\r\n\r\n"u8.ToArray());
    }

    private static async Task<BackendFailure> FailureAsync(string address)
    {
        using var http = new BackendHttp(TimeProvider.System);
        return await Assert.ThrowsAsync<BackendFailure>(
            () => http.SendAsync(() => new HttpRequestMessage(HttpMethod.Get, address), BackendHttp.MaxSecretBytes, CancellationToken.None));
    }
}
