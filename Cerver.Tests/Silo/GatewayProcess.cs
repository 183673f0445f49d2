using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;

namespace Cerver.Tests.Silo;

/// <summary>A gateway in a process of its own, on a free port.</summary>
internal sealed class GatewayProcess : IAsyncDisposable
{
    private readonly Process _process;
    private readonly ConcurrentQueue<string> _output = new();
    private readonly TaskCompletionSource _up = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Task _read;
    private readonly Task<string> _error;

    private GatewayProcess(Process process, string data)
    {
        _process = process;
        _read = ReadAsync(data);
        _error = process.StandardError.ReadToEndAsync();
    }

    /// <summary>The process.</summary>
    public int Id => _process.Id;

    /// <summary>What it printed so far.</summary>
    public string Output => string.Join('\n', _output);

    /// <summary>Calls it with the token that it made. Only once it is up.</summary>
    public HttpClient Client { get; } = new();

    /// <summary>Starts a gateway over a data directory and waits until it is up.</summary>
    public static async Task<GatewayProcess> StartAsync(string data, params string[] args)
    {
        var gateway = Launch(data, urls: null, ["--urls=http://127.0.0.1:0", .. args]);
        await gateway.UpAsync();
        return gateway;
    }

    /// <summary>Starts the program, as a gateway or with a command.</summary>
    /// <param name="data">The data directory.</param>
    /// <param name="urls">What the environment says of where to listen, or null.</param>
    /// <param name="args">The arguments.</param>
    public static GatewayProcess Launch(string data, string? urls, params string[] args)
    {
        var start = new ProcessStartInfo("dotnet", [Path.Combine(AppContext.BaseDirectory, "Cerver.Silo.dll"), .. args])
        {
            RedirectStandardError = true,
            RedirectStandardOutput = true,
            UseShellExecute = false,
        };
        start.Environment["CERVER_DATA"] = data;
        start.Environment.Remove("CERVER_API_TOKEN");
        start.Environment.Remove("ASPNETCORE_URLS");
        if (urls is not null)
        {
            start.Environment["ASPNETCORE_URLS"] = urls;
        }

        return new GatewayProcess(Process.Start(start)!, data);
    }

    /// <summary>Completes when the gateway has said that it is up.</summary>
    public Task UpAsync() => _up.Task.WaitAsync(TimeSpan.FromMinutes(1));

    /// <summary>Waits until the process has ended by itself.</summary>
    public async Task<(int ExitCode, string Error)> EndedAsync()
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(1));
        await _process.WaitForExitAsync(limit.Token);
        await _read;
        return (_process.ExitCode, await _error);
    }

    /// <summary>Asks the gateway to stop, which it must do in order.</summary>
    public async Task StopAsync()
    {
        using var kill = Process.Start("kill", ["-TERM", $"{_process.Id}"]);
        var (exitCode, error) = await EndedAsync();
        Assert.Equal((0, ""), (exitCode, error));
    }

    /// <summary>Makes a session, one that only holds a transcript unless the body says otherwise.</summary>
    public async Task<string> CreateAsync(object? body = null)
    {
        using var created = await Client.PostAsJsonAsync("/v2/sessions", body ?? new { session_type = "transcript" });
        Assert.Equal(HttpStatusCode.Created, created.StatusCode);
        return (await created.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("session_id").GetString()!;
    }

    /// <summary>Appends an entry.</summary>
    public Task<HttpResponseMessage> AppendAsync(string session, string content) =>
        Client.PostAsJsonAsync($"/v2/sessions/{session}/transcript", new { entries = new[] { new { role = "user", content } } });

    /// <summary>The contents of a transcript, which must be as long as its record says.</summary>
    public async Task<string[]> ReadAsync(string session, string role = "user")
    {
        var record = await Client.GetFromJsonAsync<JsonElement>($"/v2/sessions/{session}?full=1");
        var entries = record.GetProperty("transcript").EnumerateArray().ToList();
        Assert.Equal(record.GetProperty("transcriptTotal").GetInt64(), entries.Count);
        return [.. entries.Where(entry => entry.GetProperty("role").ValueEquals(role)).Select(entry => entry.GetProperty("content").GetString()!)];
    }

    /// <summary>Asserts that a call was refused because of the database, and gives the sentence.</summary>
    public static async Task<string> RefusedAsync(HttpResponseMessage response)
    {
        var answer = await response.Content.ReadFromJsonAsync<JsonElement>();
        Assert.Equal(
            (HttpStatusCode.ServiceUnavailable, "storage_unavailable", "1"),
            (response.StatusCode, answer.GetProperty("code").GetString(), response.Headers.RetryAfter?.ToString()));
        return answer.GetProperty("error").GetString()!;
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            _process.Kill();
        }

        await _process.WaitForExitAsync();
        await _read;
        Client.Dispose();
        _process.Dispose();
    }

    private async Task ReadAsync(string data)
    {
        while (await _process.StandardOutput.ReadLineAsync() is { } line)
        {
            _output.Enqueue(line);
            if (line.StartsWith("Cerver is up at ", StringComparison.Ordinal))
            {
                Client.BaseAddress = new Uri(line["Cerver is up at ".Length..]);
                Client.DefaultRequestHeaders.Authorization =
                    new AuthenticationHeaderValue("Bearer", (await File.ReadAllTextAsync(Path.Combine(data, "token"))).Trim());
            }
            else if (line.Contains("curl", StringComparison.Ordinal))
            {
                _up.TrySetResult();
            }
        }

        _up.TrySetException(new InvalidOperationException($"The gateway ended early: {Output} {await _error}"));
    }
}
