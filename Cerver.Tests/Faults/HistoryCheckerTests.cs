using System.Text.Json;
using Cerver.Bench.Histories;
using static Cerver.Tests.Faults.GoodHistory;

namespace Cerver.Tests.Faults;

/// <summary>Each test spoils a good history in one way and expects the checker to find exactly that.</summary>
public sealed class HistoryCheckerTests
{
    private readonly History _good = Make();

    [Fact]
    public void A_good_history_has_no_violation() => Assert.Empty(HistoryChecker.Check(_good));

    [Fact]
    public void A_history_that_was_written_to_a_file_and_read_again_says_the_same()
    {
        var spoilt = _good.WithEntry("a1");

        var read = JsonSerializer.Deserialize<History>(JsonSerializer.Serialize(spoilt))!;

        Assert.Equal(HistoryChecker.Check(spoilt).AsEnumerable(), HistoryChecker.Check(read));
    }

    [Fact]
    public void A_history_without_its_end_is_refused() =>
        Assert.Throws<ArgumentException>(() => HistoryChecker.Check(_good with { Finals = [] }));

    [Fact]
    public void An_acknowledged_entry_that_is_missing_is_found() => Finds(
        Rule.AcknowledgedIsKept,
        _good with { Appends = _good.Appends.Add(new("a", Session, ["gone"], Key: null, Ms(140), Ms(150), Outcome.Acknowledged, Total: 3)) });

    [Fact]
    public void An_acknowledged_run_that_is_missing_is_found() => Finds(
        Rule.AcknowledgedIsKept,
        _good with { Runs = _good.Runs.Add(new(Session, "third", "", Key: null, Ms(140), Ms(150), Outcome.Acknowledged, "run_3")) });

    [Fact]
    public void An_acknowledged_session_that_is_missing_is_found() => Finds(
        Rule.AcknowledgedIsKept,
        _good with { Creations = _good.Creations.Add(new("other", Key: null, Ms(4), Ms(5), Outcome.Acknowledged, "gone")) });

    [Fact]
    public void An_entry_that_nobody_sent_is_found() =>
        Finds(Rule.NothingUnsent, _good with { Appends = _good.Appends.RemoveAt(6) });

    [Fact]
    public void A_run_that_nobody_started_is_found() =>
        Finds(Rule.NothingUnsent, _good with { Runs = _good.Runs.RemoveAt(2) });

    [Fact]
    public void A_refused_entry_that_is_there_is_found() => Finds(
        Rule.RefusedIsAbsent, _good.WithAppend(6, append => append with { Outcome = Outcome.Refused, Total = null }));

    [Fact]
    public void An_entry_that_is_there_twice_is_found() => Finds(Rule.NothingTwice, _good.WithEntry("a1"));

    [Fact]
    public void An_entry_that_a_retry_with_its_key_doubled_is_found() => Finds(Rule.KeyHasOneEffect, _good.WithEntry("b1"));

    [Fact]
    public void Two_answers_to_one_key_are_found() => Finds(
        Rule.KeyHasOneEffect, _good.WithAppend(1, append => append with { Outcome = Outcome.Acknowledged, Total = 1 }));

    [Fact]
    public void Two_runs_of_one_key_are_found() => Finds(
        Rule.KeyHasOneEffect, _good with { Runs = _good.Runs.SetItem(0, _good.Runs[0] with { Outcome = Outcome.Acknowledged, Run = LostRun }) });

    [Fact]
    public void Two_sessions_of_one_key_are_found() => Finds(
        Rule.KeyHasOneEffect,
        _good.WithFinals(state => state with { Sessions = state.Sessions?.Add(new("second", "name", "idle")) }));

    [Fact]
    public void A_request_of_which_only_a_part_is_there_is_found() => Finds(
        Rule.RequestIsWhole,
        _good.WithAppend(3, append => append with { Payloads = append.Payloads.Add("a5"), Outcome = Outcome.Unknown, Total = null }));

    [Fact]
    public void Entries_of_one_writer_in_the_wrong_order_are_found() =>
        Finds(Rule.WriterOrder, _good.WithAppend(3, append => append with { Started = Ms(5) }));

    [Fact]
    public void An_entry_that_stands_before_one_that_was_answered_before_it_was_sent_is_found() =>
        Finds(Rule.AnsweredOrder, _good.WithAppend(0, append => append with { Started = Ms(45), Answered = Ms(46) }));

    [Fact]
    public void An_entry_at_another_position_than_its_answer_said_is_found() =>
        Finds(Rule.PositionsAreDense, _good.WithAppend(0, append => append with { Total = 2 }));

    [Fact]
    public void A_total_that_is_not_the_number_of_entries_is_found() => Finds(
        Rule.PositionsAreDense, _good.WithFinals(state => state with { Logs = [state.Logs[0] with { Total = 11 }] }));

    [Fact]
    public void A_page_with_something_that_is_not_in_the_log_is_found()
    {
        var page = _good.Pages[0];
        var other = page with { Entries = page.Entries.SetItem(1, page.Entries[1] with { Content = "other" }) };

        Finds(Rule.PagesAreSlices, _good with { Pages = _good.Pages.SetItem(0, other) });
    }

    [Fact]
    public void A_page_that_ends_before_its_total_is_found()
    {
        var page = _good.Pages[0];

        Finds(Rule.PagesAreSlices, _good with { Pages = _good.Pages.SetItem(0, page with { Entries = page.Entries[..1] }) });
    }

    [Fact]
    public void A_page_without_what_was_acknowledged_before_is_found()
    {
        var page = _good.Pages[1];

        Finds(Rule.ReadsSeeAcknowledged, _good with { Pages = _good.Pages.SetItem(1, page with { Entries = page.Entries[..1], Total = 9 }) });
    }

    [Fact]
    public void A_hole_in_what_a_watcher_collected_is_found() =>
        Finds(Rule.WatchersAreSlices, _good.WithWatcher(0, watched => watched with { Events = watched.Events.RemoveAt(1) }));

    [Fact]
    public void An_event_that_a_watcher_got_twice_is_found() =>
        Finds(Rule.WatchersAreSlices, _good.WithWatcher(2, watched => watched with { Events = watched.Events.Insert(1, watched.Events[0]) }));

    [Fact]
    public void A_byte_that_a_watcher_saw_otherwise_is_found() => Finds(
        Rule.WatchersAreSlices,
        _good.WithWatcher(0, watched => watched with { Events = watched.Events.SetItem(1, watched.Events[1] with { Data = """{"data":"line 0"}""" }) }));

    [Fact]
    public void An_end_that_comes_to_a_watcher_before_the_end_is_found() =>
        Finds(Rule.WatchersAreSlices, _good.WithWatcher(0, watched => watched with { Events = watched.Events[..^1] }));

    [Fact]
    public void A_watcher_that_never_comes_to_the_end_is_found() =>
        Finds(Rule.WatchersEnd, _good.WithWatcher(0, watched => watched with { Events = watched.Events[..2], ReachedEnd = false }));

    [Fact]
    public void Output_that_is_cut_off_is_found() => Finds(
        Rule.RunsAreWhole, _good with { Runs = [.. _good.Runs.Select(start => start with { Output = start.Output + "line 2\n" })] });

    [Fact]
    public void Output_that_the_program_does_not_print_is_found() => Finds(
        Rule.RunsAreWhole, _good with { Runs = _good.Runs.SetItem(2, _good.Runs[2] with { Output = "line 1\n" }) });

    [Fact]
    public void A_run_that_is_lost_without_a_fault_is_found() => Finds(Rule.RunsAreNotLost, _good with { Faults = [] });

    [Fact]
    public void A_session_stream_that_tells_other_output_is_found()
    {
        var other = new StreamEvent(7, "stdout", """{"run_id":"run_1","data":" 2\n"}""");
        var spoilt = _good
            .WithFinals(state => state with
            {
                Streams = state.Streams is [var stream] ? [stream with { Events = stream.Events.SetItem(7, other) }] : null,
            })
            .WithWatcher(2, watched => watched with { Events = watched.Events.SetItem(1, other) });

        Finds(Rule.StreamsTellTheLog, spoilt);
    }

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
        var struck = WithoutLostRun() with { Faults = [new(kind, "a fault", Ms(70), Ms(80), Ms(90))] };
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
        var failing = WithoutLostRun() with { Failures = [new("GET /v2/sessions/session", 503, "unavailable", Ms(71), Ms(75))] };

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
    public void Runs_that_others_closed_before_the_silo_was_back_are_counted()
    {
        var killed = new Fault(FaultKind.SiloKill, "a kill", Ms(70), Ms(70), Ms(90));

        Assert.Equal(1, LostRunRules.CountClosedByOthers(_good with { Faults = [killed] }));
        Assert.Equal(0, LostRunRules.CountClosedByOthers(LostAt(Ms(91)) with { Faults = [killed] }));
    }

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

    [Fact]
    public void A_log_that_is_another_after_a_restart_is_found()
    {
        var other = _good.Finals[1] with { Logs = [_good.Finals[1].Logs[0] with { Entries = _good.Finals[1].Logs[0].Entries[..^1] }] };

        Finds(Rule.SameEverywhere, _good with { Finals = _good.Finals.SetItem(1, other) });
    }

    [Fact]
    public void An_export_that_is_not_the_log_is_found() =>
        Finds(Rule.SameEverywhere, _good with { Finals = _good.Finals.SetItem(2, _good.Finals[2] with { Logs = [] }) });

    [Fact]
    public void A_run_that_is_left_running_is_found() => Finds(
        Rule.NothingRuns,
        _good.WithFinals(state => state with { Runs = state.Runs?.SetItem(0, state.Runs.Value[0] with { Status = "running" }) }));

    [Fact]
    public void A_session_that_is_running_after_a_restart_is_found() => Finds(
        Rule.NothingRuns, _good.WithFinals(state => state with { Sessions = state.Sessions is null ? null : [new(Session, "name", "running")] }));

    private static Outage Silent(FaultKind kind, TimeSpan struck, string session, int seconds) =>
        new(new Fault(kind, "a fault", struck, struck, struck), session, TimeSpan.FromSeconds(seconds));

    private History LostAt(TimeSpan ended) => _good.WithFinals(state => state with
    {
        Runs = state.Runs is [var first, var lost] ? [first, lost with { Ended = ended }] : null,
    });

    /// <summary>The history in which the run that was lost has become a program that printed one line.</summary>
    private History WithoutLostRun()
    {
        const string Exit = """{"exit_code":0,"duration_ms":5,"timed_out":false,"cancelled":false}""";
        var end = new StreamEvent(2, "exit", Exit);
        var told = new StreamEvent(14, "exit", Exit.Replace("{", """{"run_id":"run_2",""", StringComparison.Ordinal));
        return _good
            .WithFinals(state => state with
            {
                Runs = state.Runs is [var first, var lost] ? [first, lost with { Status = "exited", ExitCode = 0, Events = lost.Events.SetItem(2, end) }] : null,
                Streams = state.Streams is [var stream] ? [stream with { Events = stream.Events.SetItem(14, told) }] : null,
            })
            .WithWatcher(1, watched => watched with { Events = watched.Events.SetItem(1, end) })
            .WithWatcher(2, watched => watched with { Events = watched.Events.SetItem(8, told) }) with
        {
            Runs = _good.Runs.SetItem(2, _good.Runs[2] with { Output = "line 0\n" }),
        };
    }

    private static void Finds(Rule rule, History history)
    {
        var found = HistoryChecker.Check(history);

        Assert.NotEmpty(found);
        Assert.All(found, violation => Assert.True(violation.Rule == rule, violation.ToString()));
    }
}
