using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
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

    private readonly WorkDirectory _data;
    private readonly ConcurrentQueue<string> _lines = [];
    private Process _process;

    private GatewayProcess(ProcessStartInfo start, WorkDirectory data, IPEndPoint endpoint, string token)
    {
        _process = Launch(start);
        _data = data;
        Endpoint = endpoint;
        Token = token;
    }

    /// <summary>Where it listens.</summary>
    public IPEndPoint Endpoint { get; }

    /// <summary>The key of its one account.</summary>
    public string Token { get; }

    /// <summary>The directory of all it keeps. Its name is in no other path of this machine.</summary>
    public string DataPath => _data.Path;

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

    /// <summary>Reads how much memory of the machine it takes now, in bytes.</summary>
    public async Task<long> ReadResidentBytesAsync(CancellationToken cancellationToken)
    {
        const string Field = "VmRSS:";
        var lines = await File.ReadAllLinesAsync($"/proc/{_process.Id}/status", cancellationToken);
        var resident = lines.First(line => line.StartsWith(Field, StringComparison.Ordinal));
        var kibibytes = resident[Field.Length..].Replace("kB", string.Empty, StringComparison.Ordinal);
        return long.Parse(kibibytes, CultureInfo.InvariantCulture) * 1024;
    }

    /// <summary>Starts a build of the gateway.</summary>
    /// <param name="gatewayPath">Its main assembly.</param>
    /// <param name="repository">Where its data goes.</param>
    public static GatewayProcess Start(string gatewayPath, Repository repository) => Start("dotnet", [gatewayPath], gatewayPath, repository);

    /// <summary>Starts a program that is or becomes the gateway.</summary>
    public static GatewayProcess Start(string program, IEnumerable<string> arguments, Repository repository) =>
        Start(program, arguments, repository.GatewayPath, repository);

    /// <summary>Kills it with SIGKILL and returns when it is gone.</summary>
    public async Task KillAsync(CancellationToken cancellationToken)
    {
        _process.Kill();
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(StopTimeout);
        try
        {
            await _process.WaitForExitAsync(patience.Token);
        }
        catch (OperationCanceledException) when (_process.HasExited && !cancellationToken.IsCancellationRequested)
        {
            // It is gone, but a child that it left behind holds its output open. Whoever looks for such children shall find them.
        }
    }

    /// <summary>Starts a gateway that is gone again, over the same data and at the same address.</summary>
    public void StartAgain()
    {
        var gone = _process;
        _process = Launch(gone.StartInfo);
        gone.Dispose();
    }

    /// <summary>Runs the gateway's own check of the data that it kept. Only for one that is gone.</summary>
    /// <returns>What the check says is wrong, a line each.</returns>
    public async Task<IReadOnlyList<string>> CheckAsync(CancellationToken cancellationToken)
    {
        var start = new ProcessStartInfo(_process.StartInfo.FileName, [_process.StartInfo.ArgumentList[0], "check"])
        {
            UseShellExecute = false,
            RedirectStandardOutput = true,
        };
        start.Environment["CERVER_DATA"] = _data.Path;
        using var check = Process.Start(start)!;
        var said = await check.StandardOutput.ReadToEndAsync(cancellationToken);
        await check.WaitForExitAsync(cancellationToken);
        return check.ExitCode == 0 ? [] : said.Split('\n', StringSplitOptions.RemoveEmptyEntries);
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

    private static GatewayProcess Start(string program, IEnumerable<string> arguments, string gatewayPath, Repository repository)
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
        start.Environment["ASPNETCORE_CONTENTROOT"] = Path.GetDirectoryName(gatewayPath);
        return new(start, data, endpoint, token);
    }

    private Process Launch(ProcessStartInfo start)
    {
        var process = new Process { StartInfo = start };
        process.OutputDataReceived += Keep;
        process.ErrorDataReceived += Keep;
        process.Start();
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        return process;
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
