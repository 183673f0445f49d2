using System.Net.Http.Json;
using Cerver.Tests.Computes.Machines;

namespace Cerver.Tests.Mcp;

public sealed class ComputeToolTests(MachineGateway gateway) : IClassFixture<MachineGateway>
{
    [Fact]
    public async Task Machines_are_listed_those_that_are_ready_first_and_no_more_than_a_model_can_read()
    {
        var long200 = new string('x', 200);
        for (var count = 0; count < 150; count++)
        {
            var machine = new { compute_id = MachineGateway.NewId(), label = long200, capabilities = new { cli_tools = new[] { "claude", long200 }, local_models = new { ollama = new[] { "llama" } }, note = long200 } };
            using var registered = await gateway.Client.PostAsJsonAsync("/v2/computes/register", machine);
            Assert.True(registered.IsSuccessStatusCode);
        }

        var (computeId, relay) = await gateway.ConnectAsync();
        await using var _ = relay;
        await using var agent = await Agent.ConnectAsync(gateway.Address, MachineGateway.Token);

        var answer = await agent.AskAsync("cerver_compute_list");

        var computes = answer.StructuredContent!.Value.GetProperty("computes").EnumerateArray().ToList();
        Assert.InRange(computes.Count, 10, 149);
        Assert.Equal((computeId, "ready"), (computes[0].GetProperty("compute_id").GetString(), computes[0].GetProperty("status").GetString()));
        Assert.Equal("""["claude"]""", computes[1].GetProperty("capabilities").GetProperty("cli_tools").GetRawText());
        Assert.Contains("not all of your computes", Agent.TextOf(answer), StringComparison.Ordinal);
    }
}
