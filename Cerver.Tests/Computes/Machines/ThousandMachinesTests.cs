using System.Globalization;
using System.Net.Http.Json;
using System.Text.Json;
using Cerver.Tests.Silo;
using Xunit.Abstractions;

namespace Cerver.Tests.Computes.Machines;

/// <summary>As many machines as an account may have, all connected to one process.</summary>
public sealed class ThousandMachinesTests(ITestOutputHelper output)
{
    private const int Count = 1_000;
    private const int AtOnce = 16;

    /// <summary>About four times what docs/performance.md says, because other things take memory and give it back meanwhile.</summary>
    private const long MaxBytesEach = 64 * 1024;

    [Fact]
    public async Task A_thousand_machines_are_connected_at_once_and_each_is_ready()
    {
        var data = Directory.CreateTempSubdirectory("cerver-thousand-").FullName;
        await using (var gateway = await GatewayProcess.StartAsync(data, "--Cerver:Compute:Local:Enabled=false", "--Logging:LogLevel:Default=Warning"))
        {
            var token = gateway.Client.DefaultRequestHeaders.Authorization!.Parameter!;
            var relays = new ScriptedRelay[Count];
            var options = new ParallelOptions { MaxDegreeOfParallelism = AtOnce };
            await Parallel.ForAsync(0, Count, options, async (number, _) =>
            {
                using var registered = await gateway.Client.PostAsJsonAsync("/v2/computes/register", new { compute_id = $"comp_{number:x16}", label = $"machine {number}" }, CancellationToken.None);
                Assert.True(registered.IsSuccessStatusCode);
            });
            var before = await ResidentBytesAsync(gateway.Id);
            await Parallel.ForAsync(0, Count, options, async (number, _) =>
                relays[number] = await ScriptedRelay.ConnectAsync(gateway.Client.BaseAddress!, $"comp_{number:x16}", token));
            var after = await ResidentBytesAsync(gateway.Id);
            var computes = (await gateway.Client.GetFromJsonAsync<JsonElement>("/v2/computes")).GetProperty("computes").EnumerateArray().ToList();

            output.WriteLine($"{Count} connected machines take {(after - before) / Count / 1024.0:0.0} KiB each; the gateway has {after / 1024 / 1024} MiB.");
            Assert.Equal(Count, computes.Count(static compute => compute.GetProperty("status").ValueEquals("ready")));
            Assert.InRange((after - before) / Count, long.MinValue, MaxBytesEach);
            foreach (var relay in relays)
            {
                await relay.DisposeAsync();
            }

            await gateway.StopAsync();
        }

        Directory.Delete(data, recursive: true);
    }

    private static async Task<long> ResidentBytesAsync(int processId)
    {
        var lines = await File.ReadAllLinesAsync($"/proc/{processId}/status");
        var resident = lines.Single(static line => line.StartsWith("VmRSS:", StringComparison.Ordinal)).Split(' ', StringSplitOptions.RemoveEmptyEntries);
        return long.Parse(resident[1], CultureInfo.InvariantCulture) * 1024;
    }
}
