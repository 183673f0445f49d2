using Cerver.Computes;
using Cerver.Grains.Computes.Machines;
using Cerver.Grains.Secrets.Redaction;
using Cerver.Runs;

namespace Cerver.Tests.Computes.Machines;

public sealed class MachineRulesTests
{
    private static readonly DateTimeOffset Noon = new(2026, 5, 1, 12, 0, 0, TimeSpan.Zero);

    [Theory]
    [InlineData("""{"a":1,"b":{"c":["d",null,true]}}""", """{"a":1,"b":{"c":["d",null,true]}}""")]
    [InlineData("""{"token":"x","a":1}""", """{"a":1}""")]
    [InlineData("""{"GITHUB_TOKEN":"x","Api-Key":"x","clientSecret":"x","db.password":"x","cookies":["x"]}""", "{}")]
    [InlineData("""{"max_tokens":8192,"tokens":true,"token":null}""", """{"max_tokens":8192,"tokens":true,"token":null}""")]
    [InlineData("""{"tokens":{"github":"x"},"a":[{"credentials":{"u":"x"}},{"b":2}]}""", """{"a":[{},{"b":2}]}""")]
    [InlineData("""{"token_usage":{"input":5,"output":[1,2]},"tokens":{"a":[{"b":"x"}]}}""", """{"token_usage":{"input":5,"output":[1,2]}}""")]
    [InlineData("""{"header":"bearer x","keys":["ck_1","other"]}""", """{"keys":["other"]}""")]
    [InlineData("""{"ä":"ö\n","token":"x"}""", """{"ä":"ö\n"}""")]
    public void What_looks_like_a_token_is_dropped_and_nothing_else(string json, string kept) => Assert.Equal(kept, MachineRules.WithoutTokens(json));

    [Theory]
    [InlineData(null, "online", 0, ComputeStatus.Offline)]
    [InlineData(0, "online", 0, ComputeStatus.Ready)]
    [InlineData(300, "online", 180, ComputeStatus.Ready)]
    [InlineData(300, "online", 181, ComputeStatus.Offline)]
    [InlineData(10, "online", 1000, ComputeStatus.Ready)]
    [InlineData(181, "online", 181, ComputeStatus.Offline)]
    [InlineData(0, "offline", 0, ComputeStatus.Offline)]
    [InlineData(0, "unconfigured", 0, ComputeStatus.Offline)]
    [InlineData(0, "whatever", 0, ComputeStatus.Ready)]
    public void A_machine_is_ready_while_it_is_connected_and_sends_heartbeats(int? connectedFor, string says, int heardAgo, ComputeStatus status)
    {
        var connectedAt = connectedFor is { } seconds ? Noon.AddSeconds(-seconds) : (DateTimeOffset?)null;

        var machine = MachineRules.Describe(new() { Status = says }, "a", "comp_1", connectedAt, Noon.AddSeconds(-heardAgo), Noon);

        Assert.Equal((status, status == ComputeStatus.Ready), (machine.Status, machine.Reason is null));
    }

    [Theory]
    [InlineData(null, "Shell")]
    [InlineData("{}", "Shell")]
    [InlineData("""{"runtimes":"python"}""", "Shell")]
    [InlineData("""{"cerver_runs":1,"runtimes":["python","shell","ruby",1,"python"]}""", "Python,Shell")]
    [InlineData("""{"runtimes":["python","shell"]}""", "Shell")]
    [InlineData("""{"runtimes":[]}""", "")]
    public void Its_runtimes_are_those_that_it_names_and_that_there_are_and_under_another_relay_than_ours_a_shell_at_most(string? capabilities, string runtimes)
    {
        var machine = MachineRules.Describe(new() { Capabilities = capabilities }, "a", "comp_1", Noon, Noon, Noon);

        Assert.Equal(runtimes, string.Join(',', machine.Runtimes));
    }

    [Theory]
    [InlineData(null, true)]
    [InlineData("""{"network":false}""", true)]
    [InlineData("""{"cerver_runs":1}""", true)]
    [InlineData("""{"cerver_runs":1,"network":"no"}""", true)]
    [InlineData("""{"cerver_runs":1,"network":true}""", true)]
    [InlineData("""{"cerver_runs":1,"network":false}""", false)]
    public void A_sandbox_may_reach_the_network_unless_our_relay_says_that_it_may_not(string? capabilities, bool network) =>
        Assert.Equal(network, MachineRules.Describe(new() { Capabilities = capabilities }, "a", "comp_1", Noon, Noon, Noon).Network);

    [Theory]
    [InlineData(null, false)]
    [InlineData("""{"files":true}""", false)]
    [InlineData("""{"cerver_runs":"1","files":true}""", false)]
    [InlineData("""{"cerver_runs":1}""", true)]
    [InlineData("""{"cerver_runs":1,"files":"true"}""", true)]
    [InlineData("""{"cerver_runs":1,"files":false}""", true)]
    [InlineData("""{"cerver_runs":1,"files":true}""", true, true)]
    public void What_its_sandboxes_can_do_is_known_when_its_relay_is_ours_and_that_it_gives_access_to_files_when_that_says_so(string? capabilities, bool isOurs, bool hasFiles = false)
    {
        var machine = MachineRules.Describe(new() { Capabilities = capabilities }, "a", "comp_1", Noon, Noon, Noon);

        Assert.Equal((1, isOurs), (machine.Hosts.Length, machine.Capabilities is not null));
        Assert.Equal(hasFiles, machine.Capabilities?.Features.HasFlag(ComputeFeatures.Files) ?? false);
    }

    [Theory]
    [InlineData("""{"memory_bytes":{"held_by":"cgroup","value":1024},"cpus":{"held_by":"cgroup","value":0.5},"processes":{"held_by":"rlimit","value":9},"disk_bytes":{"held_by":"watch","value":7}}""",
        "Cgroup 1024, Cgroup 0.5, Rlimit 9, Watch 7")]
    [InlineData("""{"memory_bytes":{"held_by":"quota","value":1},"cpus":{"held_by":"none"},"processes":{"held_by":"none","value":3}}""", "Quota 1, None , None , None ")]
    [InlineData("""{"memory_bytes":{"held_by":"magic","value":1},"cpus":{"held_by":1,"value":1},"processes":{"value":1},"disk_bytes":{"held_by":"watch"}}""", "None , None , None , None ")]
    [InlineData("""{"memory_bytes":{"held_by":"watch","value":1e999},"cpus":{"held_by":"watch","value":-1},"processes":{"held_by":"watch","value":0},"disk_bytes":{"held_by":"watch","value":"7"}}""",
        "None , None , None , None ")]
    [InlineData("""{"memory_bytes":1,"cpus":null,"processes":[],"disk_bytes":{}}""", "None , None , None , None ")]
    [InlineData("[]", "None , None , None , None ")]
    [InlineData("null", "None , None , None , None ")]
    public void The_limits_of_its_sandboxes_are_those_that_make_sense(string limits, string understood)
    {
        var machine = MachineRules.Describe(new() { Capabilities = $$"""{"cerver_runs":1,"limits":{{limits}}}""" }, "a", "comp_1", Noon, Noon, Noon);

        var capabilities = machine.Capabilities!;
        Assert.Equal(understood, string.Join(", ", ((ComputeLimit[])[capabilities.Memory, capabilities.Cpu, capabilities.Processes, capabilities.Disk]).Select(TextOf)));

        static string TextOf(ComputeLimit limit) => string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{limit.Hold} {limit.Value}");
    }

    [Fact]
    public void A_machine_without_a_name_is_called_by_its_id_and_one_that_registers_again_is_as_it_says_now()
    {
        var bare = MachineRules.Apply(new RegisterMachine(Label: " "), "comp_1", SecretMatcher.Empty, Noon);
        var beaten = MachineRules.Apply(
            bare with { Capabilities = """{"a":1}""", Metadata = """{"b":2}""" }, new MachineHeartbeat("busy", Metadata: """{"c":3}"""), SecretMatcher.Empty, Noon.AddMinutes(1));

        Assert.Equal(("comp_1", "host", null, "online", Noon), (bare.Label, bare.Kind, bare.Capabilities, bare.Status, bare.LastHeartbeatAt));
        Assert.Equal(("""{"a":1}""", """{"c":3}""", "busy", Noon.AddMinutes(1)), (beaten.Capabilities, beaten.Metadata, beaten.Status, beaten.LastHeartbeatAt));
    }
}
