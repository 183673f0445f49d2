using Cerver.Bench.Gateways;
using Cerver.Bench.Histories;
using Cerver.Grains.Computes.Hosts;
using static Cerver.Tests.Faults.GoodHistory;

namespace Cerver.Tests.Faults;

/// <summary>What the checker makes of faults: what they excuse, and how long.</summary>
public sealed class HistoryCheckerFaultTests
{
    private readonly History _good = Make();

    [Fact]
    public void A_run_that_is_lost_without_a_fault_is_found() => Finds(Rule.RunsAreNotLost, _good with { Faults = [] });

    [Fact]
    public void A_gateway_that_takes_too_long_to_write_again_is_found()
    {
        var late = (Append append) => append with { Answered = append.Answered + FaultKind.GatewayKill.RecoveryLimit() };

        Finds(Rule.RecoversInTime, _good.WithAppend(5, late).WithAppend(6, late));
    }

    [Theory]
    [InlineData(FaultKind.SiloKill, 5)]
    [InlineData(FaultKind.FrontDoorKill, 5)]
    [InlineData(FaultKind.SiloHang, 10)]
    [InlineData(FaultKind.DatabaseRestart, 5)]
    [InlineData(FaultKind.DatabaseCrash, 5)]
    internal void A_cluster_that_takes_too_long_to_write_again_is_found(FaultKind kind, int seconds)
    {
        var struck = _good.WithoutLostRun() with { Faults = [new(kind, "a fault", Ms(70), Ms(80), Ms(90))] };
        var late = (Append append) => append with { Answered = append.Started + TimeSpan.FromSeconds(seconds) + Ms(1) };
        var inTime = (Append append) => append with { Answered = append.Started + TimeSpan.FromSeconds(seconds) - Ms(100) };

        Assert.DoesNotContain(HistoryChecker.Check(struck.WithAppend(5, inTime).WithAppend(6, inTime)), violation => violation.Rule == Rule.RecoversInTime);
        Assert.Contains(HistoryChecker.Check(struck.WithAppend(5, late).WithAppend(6, late)), violation => violation.Rule == Rule.RecoversInTime);
    }

    [Fact]
    public void On_a_busy_machine_the_limits_are_longer()
    {
        var late = (Append append) => append with { Answered = append.Answered + FaultKind.GatewayKill.RecoveryLimit() };
        var slow = _good.WithAppend(5, late).WithAppend(6, late);
        var closed = LostAt(Ms(81) + LostRunRules.ClosingLimit);
        var failing = _good with { Failures = [new("POST /v2/sessions", 0, "broke", Ms(81) + FaultKind.GatewayKill.RecoveryLimit(), TimeSpan.FromSeconds(11))] };

        foreach (var history in (History[])[slow, closed, failing])
        {
            Assert.NotEmpty(HistoryChecker.Check(history));
            Assert.Empty(HistoryChecker.Check(history, patience: 2));
        }
    }

    [Fact]
    public void A_session_that_answers_one_and_forgets_another_is_not_taken_for_silent()
    {
        var late = _good.Appends[5].Started + FaultKind.GatewayKill.RecoveryLimit() + Ms(100);
        var others = Enumerable.Range(0, 12).Select(second => new Append(
            "c", "other", [$"c{second}"], Key: null, TimeSpan.FromSeconds(second) + Ms(100), TimeSpan.FromSeconds(second + 1), Outcome.Acknowledged, second + 1));
        var history = _good with { Appends = [.. others, new("d", "other", ["d"], Key: null, Ms(100), late, Outcome.Unknown, Total: null)] };

        Assert.All(Outages.Of(history, fault => fault.Healed), outage => Assert.InRange(outage.Longest, TimeSpan.Zero, TimeSpan.FromSeconds(2)));
    }

    [Theory]
    [InlineData(FaultKind.SiloStop)]
    [InlineData(FaultKind.RollingRestart)]
    internal void A_failure_while_only_a_stop_was_under_way_is_found(FaultKind kind)
    {
        var failing = _good.WithoutLostRun() with { Failures = [new("GET /v2/sessions/session", 503, "unavailable", Ms(71), Ms(75))] };

        Finds(Rule.FailsByFaultsOnly, failing with { Faults = [new(kind, "a stop", Ms(70), Ms(80), Ms(90))] });
        Assert.Empty(HistoryChecker.Check(failing with { Faults = [new(FaultKind.SiloKill, "a kill", Ms(70), Ms(80), Ms(90))] }));
    }

    [Fact]
    public void A_failure_without_any_fault_is_found() => Finds(
        Rule.FailsByFaultsOnly, _good with { Failures = [new("POST /v2/sessions", 500, "internal", Ms(1), Ms(2))] });

    [Fact]
    public void A_failure_that_a_kill_long_before_does_not_excuse_is_found()
    {
        var after = Ms(81) + FaultKind.GatewayKill.RecoveryLimit();

        Finds(Rule.FailsByFaultsOnly, _good with { Failures = [new("POST /v2/sessions", 0, "the connection broke", after, after)] });
    }

    [Theory]
    [InlineData(FaultKind.SiloStop)]
    [InlineData(FaultKind.RollingRestart)]
    [InlineData(FaultKind.FrontDoorKill)]
    internal void A_run_that_is_lost_to_what_loses_no_runs_is_found(FaultKind kind) =>
        Finds(Rule.RunsAreNotLost, _good with { Faults = [new(kind, "a fault", Ms(70), Ms(80), Ms(90))] });

    [Fact]
    public void A_run_that_is_lost_before_the_fault_is_found() => Finds(Rule.RunsAreNotLost, LostAt(Ms(66)));

    [Fact]
    public void A_run_that_is_closed_too_long_after_its_silo_was_killed_is_found()
    {
        var killed = new Fault(FaultKind.SiloKill, "a kill", Ms(70), Ms(70), TimeSpan.FromMinutes(1));

        Finds(Rule.LostRunsAreClosed, LostAt(Ms(71) + LostRunRules.ClosingLimit) with { Faults = [killed] });
        Assert.Empty(HistoryChecker.Check(LostAt(Ms(69) + LostRunRules.ClosingLimit) with { Faults = [killed] }));
    }

    [Fact]
    public void A_run_of_a_frozen_silo_that_nobody_closed_before_it_went_on_is_found()
    {
        var frozen = new Fault(FaultKind.SiloHang, "a hang", Ms(70), Ms(70), Ms(200), Returned: Ms(90));

        Assert.Empty(HistoryChecker.Check(LostAt(Ms(89)) with { Faults = [frozen] }));
        Finds(Rule.LostRunsAreClosed, LostAt(Ms(91)) with { Faults = [frozen] });

        // A later fault does not excuse it, and a run that was not known to go on yet may have been started when the silo went on.
        Finds(Rule.LostRunsAreClosed, LostAt(Ms(215)) with { Faults = [frozen, new(FaultKind.SiloKill, "a kill", Ms(210), Ms(210), Ms(220))] });
        Assert.Empty(HistoryChecker.Check(LostAt(Ms(91)) with { Faults = [frozen], Runs = _good.Runs.SetItem(2, _good.Runs[2] with { Answered = Ms(75) }) }));
    }

    [Theory]
    [InlineData(FaultKind.SiloKill)]
    [InlineData(FaultKind.SiloHang)]
    internal void A_run_that_is_lost_on_a_silo_that_nobody_touched_is_found(FaultKind kind)
    {
        Fault struck = new(kind, "a fault", Ms(70), Ms(80), Ms(90), Host: "aaaaaaaa"), other = struck with { Host = "bbbbbbbb" };

        Assert.Empty(HistoryChecker.Check(LostOn("aaaaaaaa") with { Faults = [struck] }));
        Assert.Empty(HistoryChecker.Check(LostOn("aaaaaaaa") with { Faults = [new(FaultKind.DatabaseCrash, "a crash", Ms(70), Ms(80), Ms(90))] }));
        Finds(Rule.RunsAreNotLost, LostOn("aaaaaaaa") with { Faults = [other] });

        // What it printed says that it was begun, however late that was acknowledged; the silo that was about to begin another one may be
        // gone.
        var late = _good.Runs.SetItem(2, _good.Runs[2] with { Answered = Ms(75) });
        var silent = _good.WithLost(lost => lost with { Host = "aaaaaaaa", Events = lost.Events.RemoveAt(1) });
        Finds(Rule.RunsAreNotLost, LostOn("aaaaaaaa") with { Faults = [other], Runs = late });
        Assert.Contains(HistoryChecker.Check(silent with { Faults = [other] }), violation => violation.Rule == Rule.RunsAreNotLost);
        Assert.DoesNotContain(
            HistoryChecker.Check(silent with { Faults = [other], Runs = late }), violation => violation.Rule == Rule.RunsAreNotLost);
    }

    [Fact]
    public void Runs_that_others_closed_before_the_silo_was_back_are_counted()
    {
        var killed = new Fault(FaultKind.SiloKill, "a kill", Ms(70), Ms(70), Ms(200), Returned: Ms(90));

        Assert.Equal(1, LostRunRules.CountClosedByOthers(_good with { Faults = [killed] }));
        Assert.Equal(0, LostRunRules.CountClosedByOthers(LostAt(Ms(91)) with { Faults = [killed] }));
        Assert.Equal(0, LostRunRules.CountClosedByOthers(_good with { Faults = [killed with { Host = "aaaaaaaa" }] }));
    }

    [Fact]
    public void The_campaign_names_hosts_as_silos_do() => Assert.Equal(ClusterHosts.NameOf("silo-a"), ClusterProcesses.HostOf("silo-a"));

    [Fact]
    public void The_longest_times_are_told_by_kind_of_fault()
    {
        Outage[] outages =
        [
            Silent(FaultKind.SiloKill, Ms(1), "a", seconds: 1), Silent(FaultKind.SiloKill, Ms(1), "b", seconds: 2), Silent(FaultKind.SiloKill, Ms(2), "a", seconds: 3),
            Silent(FaultKind.SiloHang, Ms(3), "a", seconds: 7),
        ];

        var table = Outages.Describe(outages);

        Assert.Contains("| SiloKill         |      2 |   2.00 s |   3.00 s |", table, StringComparison.Ordinal);
        Assert.Contains("| SiloHang         |      1 |   7.00 s |   7.00 s |", table, StringComparison.Ordinal);
    }

    private static Outage Silent(FaultKind kind, TimeSpan struck, string session, int seconds) =>
        new(new Fault(kind, "a fault", struck, struck, struck), session, TimeSpan.FromSeconds(seconds));

    private History LostAt(TimeSpan ended) => _good.WithLost(lost => lost with { Ended = ended });

    private History LostOn(string host) => _good.WithLost(lost => lost with { Host = host });
}
