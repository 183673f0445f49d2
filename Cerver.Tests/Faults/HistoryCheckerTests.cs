using System.Collections.Immutable;
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
    public void A_change_that_the_account_is_told_twice_is_found() =>
        Finds(Rule.AccountIsTold, WithAccount(events => events.Insert(4, events[2])));

    [Fact]
    public void Changes_that_the_account_is_told_out_of_order_are_found() =>
        Finds(Rule.AccountIsTold, WithAccount(events => events.SetItem(4, events[4] with { Id = 9_000 })));

    [Fact]
    public void A_watching_of_the_account_that_goes_on_later_than_it_ended_is_found() =>
        Finds(Rule.AccountIsTold, WithAccount(events => events.SetItem(3, events[3] with { Id = 9_217 })));

    [Fact]
    public void A_watching_of_the_account_that_goes_on_earlier_is_not_taken_for_a_fault() =>
        Assert.Empty(HistoryChecker.Check(WithAccount(events => events.SetItem(3, events[3] with { Id = 9_000 }))));

    [Fact]
    public void A_last_change_that_the_account_is_not_told_is_found() => Finds(Rule.AccountIsTold, WithAccount(events => events.RemoveAt(5)));

    [Fact]
    public void A_session_that_the_account_is_never_told_of_is_found() =>
        Finds(Rule.AccountIsTold, WithAccount(events => events.RemoveAll(told => told.Data.Contains("\"session\"", StringComparison.Ordinal))));

    [Fact]
    public void Output_that_is_cut_off_is_found() => Finds(
        Rule.RunsAreWhole, _good with { Runs = [.. _good.Runs.Select(start => start with { Output = start.Output + "line 2\n" })] });

    [Fact]
    public void Output_that_the_program_does_not_print_is_found() => Finds(
        Rule.RunsAreWhole, _good with { Runs = _good.Runs.SetItem(2, _good.Runs[2] with { Output = "line 1\n" }) });

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

    private History WithAccount(Func<ImmutableArray<StreamEvent>, ImmutableArray<StreamEvent>> change) =>
        _good.WithWatcher(3, watched => watched with { Events = change(watched.Events) });
}
