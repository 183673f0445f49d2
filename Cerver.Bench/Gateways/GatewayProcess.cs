using System.Diagnostics;
using System.Net;
using System.Security.Cryptography;

namespace Cerver.Bench.Gateways;

/// <summary>A gateway that the bench started, with a data directory, a token and a port of its own. Disposing it stops it.</summary>
internal sealed class GatewayProcess : IAsyncDisposable
{
    private static readonly TimeSpan StopTimeout = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(5);

    private readonly WorkDirectory _data;
    private readonly ServerProcess _process;

    private GatewayProcess(ProcessStartInfo start, WorkDirectory data, IPEndPoint endpoint, string token)
    {
        _process = ServerProcess.Start("the gateway", start, Signal.Terminate, StopTimeout);
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
    public TimeSpan ProcessorTime => _process.ProcessorTime;

    /// <summary>Reads how much memory of the machine it takes now, in bytes.</summary>
    public Task<long> ReadResidentBytesAsync(CancellationToken cancellationToken) => _process.ReadResidentBytesAsync(cancellationToken);

    /// <summary>Starts a build of the gateway.</summary>
    /// <param name="gatewayPath">Its main assembly.</param>
    /// <param name="repository">Where its data goes.</param>
    public static GatewayProcess Start(string gatewayPath, Repository repository) => Start("dotnet", [gatewayPath], gatewayPath, repository);

    /// <summary>Starts a program that is or becomes the gateway.</summary>
    public static GatewayProcess Start(string program, IEnumerable<string> arguments, Repository repository) =>
        Start(program, arguments, repository.GatewayPath, repository);

    /// <summary>A token that nobody guesses.</summary>
    public static string NewToken() => Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(24));

    /// <summary>Kills it with SIGKILL and returns when it is gone.</summary>
    public Task KillAsync(CancellationToken cancellationToken) => _process.KillAsync(cancellationToken);

    /// <summary>Starts a gateway that is gone again, over the same data and at the same address.</summary>
    public void StartAgain() => _process.StartAgain();

    /// <summary>Runs the gateway's own check of the data that it kept. Only for one that is gone.</summary>
    /// <returns>What the check says is wrong, a line each.</returns>
    public Task<IReadOnlyList<string>> CheckAsync(CancellationToken cancellationToken) =>
        CheckAsync(_process.StartInfo.ArgumentList[0], new Dictionary<string, string> { ["CERVER_DATA"] = _data.Path }, cancellationToken);

    /// <summary>Runs a build's check of what it kept.</summary>
    /// <param name="gatewayPath">Its main assembly.</param>
    /// <param name="settings">Where that is, as variables of the environment.</param>
    /// <param name="cancellationToken">Ends the waiting.</param>
    /// <returns>What the check says is wrong, a line each.</returns>
    public static async Task<IReadOnlyList<string>> CheckAsync(
        string gatewayPath, IEnumerable<KeyValuePair<string, string>> settings, CancellationToken cancellationToken)
    {
        var start = new ProcessStartInfo("dotnet", [gatewayPath, "check"])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
        };
        foreach (var (name, value) in settings)
        {
            start.Environment[name] = value;
        }

        using var check = Process.Start(start)!;
        var (said, complained) = (check.StandardOutput.ReadToEndAsync(cancellationToken), check.StandardError.ReadToEndAsync(cancellationToken));
        await check.WaitForExitAsync(cancellationToken);
        return check.ExitCode == 0 ? [] : $"{await said}\n{await complained}".Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }

    /// <summary>Waits for the first 200 of <c>/readyz</c>.</summary>
    /// <exception cref="BenchException">It ends first, or is not ready within five minutes.</exception>
    public Task WaitUntilReadyAsync(CancellationToken cancellationToken) => _process.WaitUntilReadyAsync(Endpoint, PollInterval, cancellationToken);

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _process.DisposeAsync();
        _data.Dispose();
    }

    private static GatewayProcess Start(string program, IEnumerable<string> arguments, string gatewayPath, Repository repository)
    {
        var data = repository.MakeWorkDirectory();
        var endpoint = new IPEndPoint(IPAddress.Loopback, FreePort.Find());
        var token = NewToken();
        var start = new ProcessStartInfo(program, [.. arguments, "--urls", $"http://{endpoint}"]);
        start.Environment["CERVER_DATA"] = data.Path;
        start.Environment["CERVER_API_TOKEN"] = token;
        start.Environment["ASPNETCORE_CONTENTROOT"] = Path.GetDirectoryName(gatewayPath);
        return new(start, data, endpoint, token);
    }
}
