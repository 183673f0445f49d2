using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Cerver.Bench.Load;

namespace Cerver.Bench.Gateways;

/// <summary>A gateway that the bench started, with a data directory, a token and a port of its own. Disposing it stops it.</summary>
internal sealed partial class GatewayProcess : IAsyncDisposable
{
    private const int KeptLines = 40;
    private const int Terminate = 15;
    private static readonly TimeSpan StartTimeout = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan StopTimeout = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(5);

    private readonly Process _process;
    private readonly WorkDirectory _data;
    private readonly ConcurrentQueue<string> _lines = [];

    private GatewayProcess(Process process, WorkDirectory data, IPEndPoint endpoint, string token)
    {
        _process = process;
        _data = data;
        Endpoint = endpoint;
        Token = token;
    }

    /// <summary>Where it listens.</summary>
    public IPEndPoint Endpoint { get; }

    /// <summary>The key of its one account.</summary>
    public string Token { get; }

    /// <summary>Its id in the operating system.</summary>
    public int Id => _process.Id;

    /// <summary>The processor time it has taken until now.</summary>
    public TimeSpan ProcessorTime
    {
        get
        {
            _process.Refresh();
            return _process.TotalProcessorTime;
        }
    }

    /// <summary>Starts a program that is or becomes the gateway.</summary>
    public static GatewayProcess Start(string program, IEnumerable<string> arguments, Repository repository)
    {
        var data = repository.MakeWorkDirectory();
        var endpoint = new IPEndPoint(IPAddress.Loopback, FreePort());
        var token = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(24));
        var start = new ProcessStartInfo(program, [.. arguments, "--urls", $"http://{endpoint}"])
        {
            UseShellExecute = false,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["CERVER_DATA"] = data.Path;
        start.Environment["CERVER_API_TOKEN"] = token;
        start.Environment["ASPNETCORE_CONTENTROOT"] = Path.GetDirectoryName(repository.GatewayPath);

        var gateway = new GatewayProcess(new() { StartInfo = start }, data, endpoint, token);
        gateway._process.OutputDataReceived += gateway.Keep;
        gateway._process.ErrorDataReceived += gateway.Keep;
        gateway._process.Start();
        gateway._process.BeginOutputReadLine();
        gateway._process.BeginErrorReadLine();
        return gateway;
    }

    /// <summary>Waits for the first 200 of <c>/readyz</c>.</summary>
    /// <exception cref="BenchException">It ends first, or is not ready within five minutes.</exception>
    public async Task WaitUntilReadyAsync(CancellationToken cancellationToken)
    {
        var request = Gateway.At(Endpoint, Token).Request("GET", "/readyz");
        using var poll = new PeriodicTimer(PollInterval);
        var started = Stopwatch.GetTimestamp();
        while (!await IsReadyAsync(request, cancellationToken))
        {
            if (_process.HasExited)
            {
                throw new BenchException($"The gateway ended with exit code {_process.ExitCode}. {LastWords}");
            }

            if (Stopwatch.GetElapsedTime(started) > StartTimeout)
            {
                throw new BenchException($"The gateway is not ready after {StartTimeout}. {LastWords}");
            }

            await poll.WaitForNextTickAsync(cancellationToken);
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            using var patience = new CancellationTokenSource(StopTimeout);
            try
            {
                if (Kill(_process.Id, Terminate) != 0)
                {
                    _process.Kill();
                }

                await _process.WaitForExitAsync(patience.Token);
            }
            catch (OperationCanceledException)
            {
                _process.Kill();
                await Console.Error.WriteLineAsync($"The gateway did not stop within {StopTimeout.TotalSeconds:0} s and was killed.");
            }
        }

        _process.Dispose();
        _data.Dispose();
    }

    private string LastWords => $"Its last words:\n{string.Join('\n', _lines)}";

    private async Task<bool> IsReadyAsync(ReadOnlyMemory<byte> request, CancellationToken cancellationToken)
    {
        try
        {
            using var connection = await HttpConnection.OpenAsync(Endpoint, cancellationToken);
            var status = await connection.SendAsync(request, cancellationToken);
            return status == (int)HttpStatusCode.OK;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, port: 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    private void Keep(object sender, DataReceivedEventArgs line)
    {
        if (line.Data is not null)
        {
            _lines.Enqueue(line.Data);
            while (_lines.Count > KeptLines)
            {
                _lines.TryDequeue(out _);
            }
        }
    }

    [LibraryImport("libc", EntryPoint = "kill")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Kill(int process, int signal);
}
