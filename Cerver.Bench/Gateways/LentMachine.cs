using System.Diagnostics;
using System.Text.Json;
using Cerver.Bench.Load;

namespace Cerver.Bench.Gateways;

/// <summary>This machine, lent to a gateway by our relay in a process of its own. Disposing it stops the relay and removes what it kept.</summary>
internal sealed class LentMachine : IAsyncDisposable
{
    /// <summary>Gateway and relay would give the same user ids to their sandboxes, whose limits would then count together.</summary>
    private const string FirstUserId = "1950000000";

    private const string Provider = "cerver_local_provider";

    private static readonly TimeSpan StopTimeout = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan StartTimeout = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(50);

    private readonly WorkDirectory _data;
    private readonly ServerProcess _relay;

    private LentMachine(WorkDirectory data, ServerProcess relay)
    {
        _data = data;
        _relay = relay;
    }

    /// <summary>What names it as the compute of a session.</summary>
    public string ComputeId { get; private set; } = string.Empty;

    /// <summary>Starts the release build of the relay and waits until its gateway calls the machine ready.</summary>
    /// <param name="repository">Where the build is, and where its data goes.</param>
    /// <param name="gateway">Whom the machine is lent to. It has no other machine.</param>
    /// <param name="cancellationToken">Ends the waiting.</param>
    /// <exception cref="BenchException">It does not become ready.</exception>
    public static async Task<LentMachine> StartAsync(Repository repository, Gateway gateway, CancellationToken cancellationToken)
    {
        var data = repository.MakeWorkDirectory();
        var start = new ProcessStartInfo("dotnet", [repository.RelayPath, "--url", $"http://{gateway.Endpoint}", "--data", data.Path, "--label", "bench"]);
        start.Environment["CERVER_API_TOKEN"] = gateway.Token;
        start.Environment["Cerver__Compute__Local__FirstUserId"] = FirstUserId;
        var machine = new LentMachine(data, ServerProcess.Start("the relay", start, Signal.Terminate, StopTimeout));
        try
        {
            await machine.WaitUntilReadyAsync(gateway, cancellationToken);
        }
        catch
        {
            await machine.DisposeAsync();
            throw;
        }

        return machine;
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _relay.DisposeAsync();
        _data.Dispose();
    }

    private async Task WaitUntilReadyAsync(Gateway gateway, CancellationToken cancellationToken)
    {
        using var connection = await HttpConnection.OpenAsync(gateway.Endpoint, cancellationToken);
        using var poll = new PeriodicTimer(PollInterval);
        var started = Stopwatch.GetTimestamp();
        while (!TryFind(await connection.AskAsync(gateway.Request("GET", "/v2/computes"), cancellationToken)))
        {
            if (_relay.IsGone)
            {
                throw new BenchException($"The relay ended with exit code {await _relay.Gone}. {_relay.LastWords}");
            }

            if (Stopwatch.GetElapsedTime(started) > StartTimeout)
            {
                throw new BenchException($"The machine is not ready after {StartTimeout}. {_relay.LastWords}");
            }

            await poll.WaitForNextTickAsync(cancellationToken);
        }
    }

    private bool TryFind(ReadOnlyMemory<byte> answer)
    {
        using var computes = JsonDocument.Parse(answer);
        foreach (var compute in computes.RootElement.GetProperty("computes").EnumerateArray())
        {
            if (compute.GetProperty("provider").ValueEquals(Provider) && compute.GetProperty("status").ValueEquals("ready"))
            {
                ComputeId = compute.GetProperty("compute_id").GetString()!;
                return true;
            }
        }

        return false;
    }
}
