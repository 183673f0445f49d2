using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net.Http.Json;
using System.Text.Json;

namespace Cerver.Tests.Relays;

/// <summary>Our relay in a process of its own.</summary>
internal sealed class RelayProcess : IAsyncDisposable
{
    private readonly Process _process;
    private readonly ConcurrentQueue<string> _output = new();
    private readonly ConcurrentQueue<string> _errors = new();
    private readonly Task _read;

    private RelayProcess(Process process)
    {
        _process = process;
        _read = Task.WhenAll(ReadAsync(process.StandardOutput, []), ReadAsync(process.StandardError, _errors));
    }

    /// <summary>The process.</summary>
    public int Id => _process.Id;

    /// <summary>What it said so far.</summary>
    public string Output => string.Join('\n', _output);

    /// <summary>What of it was on standard error.</summary>
    public string Errors => string.Join('\n', _errors);

    /// <summary>Starts it and does not wait.</summary>
    /// <param name="gateway">Where its gateway is.</param>
    /// <param name="token">A token of an account there.</param>
    /// <param name="data">Its data directory.</param>
    /// <param name="settings">Variables.</param>
    public static RelayProcess Launch(Uri gateway, string token, string data, params (string Name, string Value)[] settings) =>
        Launch(["--url", gateway.ToString(), "--data", data, "--label", "the workshop"], [("CERVER_API_TOKEN", token), .. settings]);

    /// <summary>Starts it with arguments and does not wait.</summary>
    public static RelayProcess Launch(string[] args, params (string Name, string Value)[] settings)
    {
        var start = new ProcessStartInfo("dotnet", [Path.Combine(AppContext.BaseDirectory, "Cerver.Relay.dll"), .. args])
        {
            RedirectStandardError = true,
            RedirectStandardOutput = true,
            UseShellExecute = false,
        };
        foreach (var (name, value) in settings)
        {
            start.Environment[name] = value;
        }

        return new RelayProcess(Process.Start(start)!);
    }

    /// <summary>Waits until the gateway calls a machine ready, or not any more.</summary>
    /// <param name="client">A client of the gateway.</param>
    /// <param name="isReady">Which of the two.</param>
    /// <param name="computeId">The machine; without it, the first of the account.</param>
    /// <returns>The machine's id.</returns>
    public static async Task<string> ReadyAsync(HttpClient client, bool isReady = true, string? computeId = null)
    {
        for (var attempt = 0; ; attempt++)
        {
            var computes = (await client.GetFromJsonAsync<JsonElement>("/v2/computes")).GetProperty("computes").EnumerateArray();
            var machine = computes.FirstOrDefault(
                compute => compute.GetProperty("provider").ValueEquals("cerver_local_provider") && (computeId is null || compute.GetProperty("compute_id").ValueEquals(computeId)));
            if (machine.ValueKind == JsonValueKind.Object && machine.GetProperty("status").ValueEquals("ready") == isReady)
            {
                return machine.GetProperty("compute_id").GetString()!;
            }

            Assert.True(attempt < 600, $"The machine did not become so within a minute: {machine}");
            await Task.Delay(TimeSpan.FromMilliseconds(100));
        }
    }

    /// <summary>Ends it without a word.</summary>
    public async Task KillAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync();
    }

    /// <summary>Asks it to stop, and waits until it has.</summary>
    public async Task<int> StopAsync()
    {
        using var ask = Process.Start("kill", ["-TERM", $"{_process.Id}"]);
        return await EndedAsync();
    }

    /// <summary>Waits until it has ended by itself.</summary>
    public async Task<int> EndedAsync()
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(1));
        await _process.WaitForExitAsync(limit.Token);
        await _read;
        return _process.ExitCode;
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            _process.Kill();
        }

        await _process.WaitForExitAsync();
        await _read;
        _process.Dispose();
    }

    private async Task ReadAsync(StreamReader reader, ConcurrentQueue<string> also)
    {
        while (await reader.ReadLineAsync() is { } line)
        {
            _output.Enqueue(line);
            also.Enqueue(line);
        }
    }
}
