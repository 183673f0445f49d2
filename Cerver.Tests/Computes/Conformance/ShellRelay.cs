using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net.Http.Json;
using System.Net.WebSockets;
using System.Text;
using System.Text.Json;
using Cerver.Tests.Computes.Machines;

namespace Cerver.Tests.Computes.Conformance;

/// <summary>A relay that is not ours, as far as one executes code: it names its sandboxes itself, each a directory, and answers a run when its program has ended.</summary>
internal sealed class ShellRelay : IAsyncDisposable
{
    private const string Sandboxes = "/api/cerver/provider/sandboxes";

    private readonly ScriptedRelay _relay;
    private readonly string _data = Directory.CreateTempSubdirectory("cerver-shell-").FullName;
    private readonly ConcurrentDictionary<Process, string> _programs = [];
    private readonly SemaphoreSlim _sending = new(1);
    private readonly Task _serving;

    private ShellRelay(ScriptedRelay relay)
    {
        _relay = relay;
        _serving = ServeAsync();
    }

    /// <summary>Registers a machine as such relays do, and dials in.</summary>
    public static async Task<ShellRelay> ConnectAsync(Uri gateway)
    {
        var computeId = MachineGateway.NewId();
        using var client = new HttpClient { BaseAddress = gateway };
        using var registered = await client.PostAsJsonAsync(
            "/v2/computes/register", new { compute_id = computeId, label = "laptop", kind = "local", capabilities = new { runtimes = new[] { "shell", "python" }, cli_tools = new[] { "claude" } } });
        Assert.True(registered.IsSuccessStatusCode);
        return new ShellRelay(await ScriptedRelay.DialAsync(gateway, computeId, "token-of-one-who-tests"));
    }

    public async ValueTask DisposeAsync()
    {
        _relay.Vanish();
        await _serving;
        await _relay.DisposeAsync();
        _sending.Dispose();
        foreach (var program in _programs.Keys)
        {
            program.Dispose();
        }

        Directory.Delete(_data, recursive: true);
    }

    /// <summary>What a socket says that is broken off, by whichever side and in the middle of whatever.</summary>
    private static bool IsEnd(Exception failure) => failure is WebSocketException or OperationCanceledException or ObjectDisposedException;

    private async Task ServeAsync()
    {
        var answering = new List<Task>();
        try
        {
            while (true)
            {
                answering.Add(AnswerAsync(await _relay.NextAsync()));
            }
        }
        catch (Exception ended) when (IsEnd(ended))
        {
            // Nobody asks any more, and what runs has nobody to answer.
            End(_data);
        }

        await Task.WhenAll(answering);
    }

    private async Task AnswerAsync(JsonElement request)
    {
        var path = request.GetProperty("path").GetString()!;
        Assert.StartsWith(Sandboxes, path, StringComparison.Ordinal);
        var (status, body) = (request.GetProperty("method").GetString(), path[Sandboxes.Length..].Split('/', StringSplitOptions.RemoveEmptyEntries)) switch
        {
            ("POST", []) => Open(),
            ("POST", [var id, "run"]) when Directory.Exists(PathOf(id)) => (200, await RunAsync(PathOf(id), request.GetProperty("body"))),
            ("DELETE", [var id]) when Directory.Exists(PathOf(id)) => Remove(PathOf(id)),
            _ => (404, new { error = "There is no such sandbox." }),
        };
        await _sending.WaitAsync();
        try
        {
            await _relay.AnswerAsync(request, body, status);
        }
        catch (Exception ended) when (IsEnd(ended))
        {
            // Whoever asked is gone.
        }
        finally
        {
            _sending.Release();
        }
    }

    private (int Status, object? Body) Open()
    {
        // Not a word that could stand in an address as it is.
        var id = $"agent/{Guid.NewGuid():n}";
        Directory.CreateDirectory(PathOf(Uri.EscapeDataString(id)));
        return (201, new { sandbox_id = id, status = "ready" });
    }

    private (int Status, object? Body) Remove(string sandbox)
    {
        End(sandbox);
        Directory.Delete(sandbox, recursive: true);
        return (200, new { ok = true });
    }

    private string PathOf(string id) => Path.Combine(_data, id);

    private async Task<object> RunAsync(string sandbox, JsonElement body)
    {
        // The code is too long for an argument.
        var code = Path.Combine(_data, $"{Guid.NewGuid():n}.sh");
        await File.WriteAllTextAsync(code, body.GetProperty("code").GetString());
        var start = new ProcessStartInfo("sh", [code])
        {
            RedirectStandardError = true,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            StandardErrorEncoding = Encoding.UTF8,
            StandardOutputEncoding = Encoding.UTF8,
            UseShellExecute = false,
            WorkingDirectory = sandbox,
        };
        foreach (var variable in body.GetProperty("envs").EnumerateObject())
        {
            start.Environment[variable.Name] = variable.Value.GetString();
        }

        var program = Process.Start(start)!;
        _programs[program] = sandbox;
        program.StandardInput.Close();
        await using var limit = TimeProvider.System.CreateTimer(
            _ => program.Kill(entireProcessTree: true), state: null, TimeSpan.FromSeconds(body.GetProperty("timeout").GetDouble()), Timeout.InfiniteTimeSpan);
        var (stdout, stderr) = (program.StandardOutput.ReadToEndAsync(), program.StandardError.ReadToEndAsync());
        await program.WaitForExitAsync();
        return new { stdout = await stdout, stderr = await stderr, exit_code = program.ExitCode };
    }

    /// <summary>Ends what runs in a sandbox, or in all of them.</summary>
    private void End(string directory)
    {
        foreach (var (program, _) in _programs.Where(one => one.Value.StartsWith(directory, StringComparison.Ordinal)))
        {
            program.Kill(entireProcessTree: true);
        }
    }
}
