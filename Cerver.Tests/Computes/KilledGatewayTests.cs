using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Cerver.Tests.Computes;

public sealed class KilledGatewayTests
{
    [Theory]
    [InlineData(null)]
    [InlineData("54321")]
    public async Task Nothing_of_a_sandbox_outlives_a_gateway_that_was_killed(string? userId)
    {
        // Only root can start a gateway as somebody else, and only where others may read the program.
        if (userId is not null && !(Environment.IsPrivilegedProcess && IsReadableByAll(AppContext.BaseDirectory)))
        {
            return;
        }

        var data = Directory.CreateTempSubdirectory("cerver-test-").FullName;
        using var listener = new TcpListener(IPAddress.Loopback, port: 0);
        listener.Start();
        using var gateway = Start(data, ((IPEndPoint)listener.LocalEndpoint).Port, userId);
        using var timeout = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        try
        {
            using var connection = await listener.AcceptTcpClientAsync(timeout.Token);
            using var reader = new StreamReader(connection.GetStream());
            Assert.Equal("up", await reader.ReadLineAsync(timeout.Token));

            gateway.Kill();

            Assert.Null(await reader.ReadLineAsync(timeout.Token));
        }
        finally
        {
            gateway.Kill();
            await gateway.WaitForExitAsync(CancellationToken.None);
            Directory.Delete(data, recursive: true);
        }
    }

    private static Process Start(string data, int port, string? userId)
    {
        var program = Path.Combine(AppContext.BaseDirectory, "Cerver.Tests.dll");
        string[] command = [Environment.ProcessPath!, program, data, port.ToString(CultureInfo.InvariantCulture)];
        if (userId is not null)
        {
            File.SetUnixFileMode(data, (UnixFileMode)Convert.ToInt32("777", fromBase: 8));
            command = ["setpriv", "--reuid", userId, "--regid", userId, "--clear-groups", .. command];
        }

        return Process.Start(new ProcessStartInfo(command[0], command[1..]) { UseShellExecute = false })!;
    }

    private static bool IsReadableByAll(string path)
    {
        for (var directory = new DirectoryInfo(path); directory is not null; directory = directory.Parent)
        {
            if (!directory.UnixFileMode.HasFlag(UnixFileMode.OtherExecute))
            {
                return false;
            }
        }

        return true;
    }
}
