using System.Net.Sockets;
using System.Text;

namespace Cerver.Tests.Silo;

/// <summary>Files that are on their way to a sandbox when the gateway dies.</summary>
public sealed class GatewayFilesTests : IDisposable
{
    private readonly string _data = Directory.CreateTempSubdirectory("cerver-files-").FullName;

    public void Dispose() => Directory.Delete(_data, recursive: true);

    [Fact]
    public async Task A_gateway_that_is_killed_while_a_file_is_sent_leaves_nothing_of_it_and_keeps_what_it_acknowledged()
    {
        var uploads = Path.Combine(_data, "sandboxes", "uploads");
        string session;

        // Open until the gateway is gone: of a caller that goes away it would forget what was sent.
        using var client = new TcpClient();
        await using (var first = await GatewayProcess.StartAsync(_data))
        {
            session = await first.CreateAsync(new { compute = "local" });
            using var sent = await first.Client.PutAsync(At(session, "kept"), new StringContent("kept"));
            Assert.True(sent.IsSuccessStatusCode);
            await client.ConnectAsync(first.Client.BaseAddress!.Host, first.Client.BaseAddress.Port);
            var token = first.Client.DefaultRequestHeaders.Authorization!.Parameter;
            await client.GetStream().WriteAsync(Encoding.ASCII.GetBytes(
                $"PUT /v2/sessions/{session}/files/lost HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\nContent-Length: 1000000\r\n\r\n{new string('x', 600_000)}"));
            using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30));
            while (!Directory.EnumerateFiles(uploads).Any(static path => new FileInfo(path).Length > 0))
            {
                await Task.Delay(10, limit.Token);
            }
        }

        Assert.NotEmpty(Directory.EnumerateFiles(uploads));
        await using var second = await GatewayProcess.StartAsync(_data);

        Assert.False(Directory.Exists(uploads));
        Assert.Equal("kept", await second.Client.GetStringAsync(At(session, "kept")));
        var listing = await second.Client.GetStringAsync(new Uri($"/v2/sessions/{session}/files", UriKind.Relative));
        Assert.DoesNotContain("lost", listing, StringComparison.Ordinal);
    }

    private static Uri At(string session, string path) => new($"/v2/sessions/{session}/files/{path}", UriKind.Relative);
}
