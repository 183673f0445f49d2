using System.Collections.Immutable;
using Cerver.Computes;
using Cerver.Errors;
using Cerver.Grains.Computes;
using Cerver.Grains.Computes.Machines;
using Cerver.Runs;

namespace Cerver.Tests.Computes;

public sealed class ComputeSelectionTests
{
    private static readonly ComputeInfo Local = new(
        "provider_local", "This machine", "local", ComputeStatus.Ready, null, "shared", "host", [SandboxRuntime.Shell], Network: false);

    private static readonly ComputeInfo Broken = Local with
    {
        ComputeId = "provider_broken",
        Provider = "broken",
        Status = ComputeStatus.Unconfigured,
        Reason = "It has no key.",
    };

    private static readonly ComputeInfo Python = Local with
    {
        ComputeId = "comp_0123456789abcdef",
        Provider = "python",
        Runtimes = [SandboxRuntime.Shell, SandboxRuntime.Python],
        Network = true,
    };

    [Fact]
    public void The_first_that_is_ready_and_fits_is_taken()
    {
        Assert.Equal(Local, Choose(ComputeChoice.Any, "{}"));
        Assert.Equal(Python, Choose(ComputeChoice.Any, """{"runtime":"python"}"""));
        Assert.Equal(Python, Choose(ComputeChoice.Any, """{"network":true}"""));
        Assert.Equal(Python, Choose(ComputeChoice.Any, "{}", "python"));
    }

    [Fact]
    public void A_named_provider_or_compute_is_taken()
    {
        Assert.Equal(Python, Choose(new(ComputeChoiceKind.Provider, "python"), "{}"));
        Assert.Equal(Python, Choose(new(ComputeChoiceKind.Compute, "comp_0123456789abcdef"), "{}"));
    }

    [Fact]
    public void The_report_says_what_each_candidate_lacks()
    {
        var refusal = Assert.Throws<CerverException>(() => Choose(ComputeChoice.Any, """{"runtime":"node"}""", "local", "broken"));

        Assert.Equal(CerverError.NoCompute, refusal.Code);
        Assert.Equal("""{"runtime":"node"}""", refusal.Report!.Requirements);
        Assert.Equal(
            [("provider_broken", false, "It has no key."), ("provider_local", true, "It does not have the runtime 'node'."), ("comp_0123456789abcdef", true, "The policy does not allow the provider 'python'.;It does not have the runtime 'node'.")],
            refusal.Report.Candidates.Select(candidate => (candidate.ComputeId!, candidate.Ready, string.Join(';', candidate.Reasons))));
    }

    [Fact]
    public void A_machine_that_gives_its_sandboxes_no_network_is_passed_over_by_a_session_that_needs_it_and_says_so_when_it_is_named()
    {
        const string Network = """{"network":true}""";
        var noon = new DateTimeOffset(2026, 5, 1, 12, 0, 0, TimeSpan.Zero);
        var walled = MachineRules.Describe(new() { Capabilities = """{"cerver_runs":1,"network":false}""" }, "a", "comp_1", noon, noon, noon);

        Assert.Equal(walled, ComputeSelection.Choose(ComputeChoice.Any, ComputeRequirements.Parse("{}"), "{}", [], [walled, Python]));
        Assert.Equal(Python, ComputeSelection.Choose(ComputeChoice.Any, ComputeRequirements.Parse(Network), Network, [], [walled, Python]));
        var refusal = Assert.Throws<CerverException>(
            () => ComputeSelection.Choose(new(ComputeChoiceKind.Compute, "comp_1"), ComputeRequirements.Parse(Network), Network, [], [walled, Python]));

        var candidate = Assert.Single(refusal.Report!.Candidates);
        Assert.Equal(("comp_1", true, "Its sandboxes have no network."), (candidate.ComputeId, candidate.Ready, Assert.Single(candidate.Reasons)));
    }

    [Fact]
    public void A_capability_that_is_asked_for_is_looked_for_and_missed_by_name()
    {
        var pausing = Local with { ComputeId = "provider_pausing", Capabilities = ComputeCapabilities.Unknown with { Features = ComputeFeatures.Pause } };
        const string Pause = """{"capabilities":["pause"]}""";
        const string More = """{"capabilities":["pause","stdin","files"]}""";

        Assert.Equal(pausing, ComputeSelection.Choose(ComputeChoice.Any, ComputeRequirements.Parse(Pause), Pause, [], [Local, pausing]));
        var refusal = Assert.Throws<CerverException>(
            () => ComputeSelection.Choose(ComputeChoice.Any, ComputeRequirements.Parse(More), More, [], [Local, pausing]));

        Assert.Equal([3, 2], refusal.Report!.Candidates.Select(candidate => candidate.Reasons.Length));
        Assert.Equal(
            "It does not have the capability 'stdin'.;It does not have the capability 'files'.", string.Join(';', refusal.Report.Candidates[1].Reasons));
    }

    [Fact]
    public void Every_feature_has_a_word_and_every_word_its_own_feature()
    {
        foreach (var feature in Enum.GetValues<ComputeFeatures>().Where(feature => feature != ComputeFeatures.None))
        {
            var word = Assert.Single(ComputeFeatureWords.All, known => known.Feature == feature).Word;
            Assert.Equal(feature, ComputeRequirements.Parse($$"""{"capabilities":["{{word}}"]}""").Features);
        }
    }

    [Theory]
    [InlineData(ComputeHold.Cgroup, 10, ComputeHold.Cgroup, 20, ComputeHold.Cgroup, 20)]
    [InlineData(ComputeHold.Cgroup, 20, ComputeHold.Watch, 10, ComputeHold.Watch, 20)]
    [InlineData(ComputeHold.None, null, ComputeHold.Cgroup, 10, ComputeHold.None, null)]
    [InlineData(ComputeHold.Rlimit, 10, ComputeHold.None, null, ComputeHold.None, null)]
    public void Of_the_limits_of_two_hosts_the_weaker_is_told(ComputeHold one, int? value, ComputeHold other, int? otherValue, ComputeHold told, int? toldValue) =>
        Assert.Equal(new ComputeLimit(told, toldValue), ComputeLimit.Weaker(new(one, value), new(other, otherValue)));

    [Fact]
    public void A_provider_that_this_gateway_lacks_is_in_the_report()
    {
        var refusal = Assert.Throws<CerverException>(() => Choose(new(ComputeChoiceKind.Provider, "e2b"), "{}"));

        var candidate = Assert.Single(refusal.Report!.Candidates);
        Assert.Equal(("e2b", null, false), (candidate.Provider, candidate.ComputeId, candidate.Ready));
        Assert.NotEmpty(candidate.Reasons);
    }

    [Fact]
    public void A_compute_that_is_none_of_the_accounts_is_a_bad_request()
    {
        var refusal = Assert.Throws<CerverException>(() => Choose(new(ComputeChoiceKind.Compute, "comp_ffffffffffffffff"), "{}"));

        Assert.Equal((CerverError.InvalidRequest, "compute"), (refusal.Code, refusal.Field));
    }

    [Theory]
    [InlineData("""{"runtime":"cobol"}""", "requirements.runtime")]
    [InlineData("""{"runtime":7}""", "requirements.runtime")]
    [InlineData("""{"network":"yes"}""", "requirements.network")]
    [InlineData("""{"timeout_minutes":0}""", "requirements.timeout_minutes")]
    [InlineData("""{"timeout_minutes":-5}""", "requirements.timeout_minutes")]
    [InlineData("""{"timeout_minutes":43200.5}""", "requirements.timeout_minutes")]
    [InlineData("""{"timeout_minutes":1e999}""", "requirements.timeout_minutes")]
    [InlineData("""{"timeout_minutes":"30"}""", "requirements.timeout_minutes")]
    [InlineData("""{"timeout_minutes":true}""", "requirements.timeout_minutes")]
    [InlineData("""{"capabilities":["levitation"]}""", "requirements.capabilities")]
    [InlineData("""{"capabilities":["pause",7]}""", "requirements.capabilities")]
    [InlineData("""{"capabilities":"pause"}""", "requirements.capabilities")]
    public void Requirements_with_an_unknown_value_are_refused_by_name(string json, string field)
    {
        var refusal = Assert.Throws<CerverException>(() => ComputeRequirements.Parse(json));

        Assert.Equal((CerverError.InvalidRequest, field), (refusal.Code, refusal.Field));
    }

    [Theory]
    [InlineData(null)]
    [InlineData("{}")]
    [InlineData("""{"runtime":null,"network":false,"package_install":true,"something":[1]}""")]
    public void Requirements_that_ask_for_nothing_special_are_a_shell_without_network(string? json) =>
        Assert.Equal(new ComputeRequirements(SandboxRuntime.Shell, Network: false), ComputeRequirements.Parse(json));

    [Theory]
    [InlineData("""{"timeout_minutes":null}""", null)]
    [InlineData("""{"timeout_minutes":30}""", 1800.0)]
    [InlineData("""{"timeout_minutes":0.5}""", 30.0)]
    [InlineData("""{"timeout_minutes":0.0001}""", 1.0)]
    [InlineData("""{"timeout_minutes":43200}""", 2592000.0)]
    public void A_time_out_is_a_number_of_minutes_and_at_least_a_second(string json, double? seconds) =>
        Assert.Equal(seconds, ComputeRequirements.Parse(json).IdleTimeout?.TotalSeconds);

    private static ComputeInfo Choose(ComputeChoice choice, string requirements, params ImmutableArray<string> allowed) =>
        ComputeSelection.Choose(choice, ComputeRequirements.Parse(requirements), requirements, allowed, [Broken, Local, Python]);
}
