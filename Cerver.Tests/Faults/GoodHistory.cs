using System.Collections.Immutable;
using System.Text.Json;
using Cerver.Bench.Histories;

namespace Cerver.Tests.Faults;

/// <summary>
/// A history in which every promise was kept: two writers, a request that was retried with its key, one of two entries, one that was
/// refused and one that was lost; a kill in the middle; a run that ended before it and one that it ended; pages, watchers, a restart and an
/// export.
/// </summary>
internal static class GoodHistory
{
    public const string Session = "session";
    public const string FirstRun = "run_1";
    public const string LostRun = "run_2";

    private static readonly ImmutableArray<LogEntry> Log =
    [
        Text("a1"), Text("b1"), Use(FirstRun), Text("a2"), Text("a3"), Result(FirstRun), Use(LostRun), Result(LostRun), Text("b2"), Text("a4"),
    ];

    private static readonly ImmutableArray<StreamEvent> FirstRunEvents =
    [
        new(0, "run", """{"run_id":"run_1","session_id":"session"}"""),
        new(1, "stdout", """{"data":"line 0\n"}"""),
        new(2, "stdout", """{"data_base64":"bGluZSAxCg=="}"""),
        new(3, "exit", """{"exit_code":0,"duration_ms":5,"timed_out":false,"cancelled":false}"""),
    ];

    private static readonly ImmutableArray<StreamEvent> LostRunEvents =
    [
        new(0, "run", """{"run_id":"run_2","session_id":"session"}"""),
        new(1, "stdout", """{"data":"line 0\n"}"""),
        new(2, "error", """{"error":"It is lost.","code":"run_lost"}"""),
    ];

    private static readonly ImmutableArray<StreamEvent> SessionEvents =
    [
        EntryEvent(0, 0), EntryEvent(1, 1), EntryEvent(2, 2),
        new(3, "run", """{"run_id":"run_1","session_id":"session"}"""),
        EntryEvent(4, 3), EntryEvent(5, 4),
        new(6, "stdout", """{"run_id":"run_1","data":"line 0\nline"}"""),
        new(7, "stdout", """{"run_id":"run_1","data":" 1\n"}"""),
        new(8, "exit", """{"run_id":"run_1","exit_code":0,"duration_ms":5,"timed_out":false,"cancelled":false}"""),
        EntryEvent(9, 5), EntryEvent(10, 6),
        new(11, "run", """{"run_id":"run_2","session_id":"session"}"""),
        new(12, "stdout", """{"run_id":"run_2","data":"line 0\n"}"""),
        EntryEvent(13, 7),
        new(14, "error", """{"run_id":"run_2","error":"It is lost.","code":"run_lost"}"""),
        EntryEvent(15, 8), EntryEvent(16, 9),
    ];

    private static readonly ImmutableArray<StreamEvent> AccountEvents =
    [
        new(4_096, "ready", "{}"),
        new(5_120, "session", """{"session_id":"session","status":"idle","metrics":{"run_count":1}}"""),
        new(9_216, "session", """{"session_id":"session","status":"running","metrics":{"run_count":2}}"""),
        new(9_216, "ready", "{}"),
        new(10_240, "session", """{"session_id":"other","status":"idle","metrics":{"run_count":0}}"""),
        new(11_264, "session", """{"session_id":"session","status":"idle","metrics":{"run_count":2}}"""),
        new(11_264, "ready", "{}"),
    ];

    /// <summary>The history.</summary>
    public static History Make() => new()
    {
        Creations =
        [
            new("name", "create", Ms(0), Ms(1), Outcome.Unknown, Session: null),
            new("name", "create", Ms(2), Ms(3), Outcome.Acknowledged, Session),
        ],
        Appends =
        [
            new("a", Session, ["a1"], Key: null, Ms(10), Ms(20), Outcome.Acknowledged, Total: 1),
            new("b", Session, ["b1"], "key", Ms(15), Ms(25), Outcome.Unknown, Total: null),
            new("b", Session, ["b1"], "key", Ms(30), Ms(40), Outcome.Acknowledged, Total: 2),
            new("a", Session, ["a2", "a3"], Key: null, Ms(50), Ms(60), Outcome.Acknowledged, Total: 5),
            new("b", Session, ["lost"], Key: null, Ms(65), Ms(70), Outcome.Unknown, Total: null),
            new("b", Session, ["b2"], Key: null, Ms(100), Ms(110), Outcome.Acknowledged, Total: 9),
            new("a", Session, ["a4"], Key: null, Ms(111), Ms(120), Outcome.Acknowledged, Total: 10),
            new("a", Session, ["refused"], Key: null, Ms(130), Ms(131), Outcome.Refused, Total: null),
        ],
        Runs =
        [
            new(Session, "first", "line 0\nline 1\n", "run-key", Ms(41), Ms(42), Outcome.Unknown, Run: null),
            new(Session, "first", "line 0\nline 1\n", "run-key", Ms(43), Ms(45), Outcome.Acknowledged, FirstRun),
            new(Session, "second", "line 0\nline 1\n", Key: null, Ms(62), Ms(64), Outcome.Acknowledged, LostRun),
        ],
        Pages =
        [
            new(Session, First: 3, Total: 5, Log[3..5], Ms(61), Ms(62)),
            new(Session, First: 8, Total: 10, Log[8..10], Ms(121), Ms(122)),
        ],
        Watchers =
        [
            new("one", FirstRun, After: -1, FirstRunEvents, ReachedEnd: true),
            new("two", LostRun, After: 0, LostRunEvents[1..], ReachedEnd: true),
            new("three", Session, After: 5, SessionEvents[6..], ReachedEnd: true),
            new("four", AccountRules.Stream, After: -1, AccountEvents, ReachedEnd: false),
        ],
        Faults = [new(FaultKind.GatewayKill, "a kill", Ms(70), Ms(80), Ms(80))],
        Finals = [State("at the end"), State("after a restart"), new("in the export", Sessions: null, [Transcript()], Runs: null, Streams: null)],
    };

    /// <summary>A time.</summary>
    public static TimeSpan Ms(int milliseconds) => TimeSpan.FromMilliseconds(milliseconds);

    /// <summary>The history in which something more stands at the end of the log, wherever that is read.</summary>
    public static History WithEntry(this History history, string payload)
    {
        var last = new StreamEvent(17, "entry", $$"""{"index":10,"entry":{"at":"t","role":"user","kind":"text","content":"{{payload}}"} }""");
        return history.WithFinals(state => state with
        {
            Logs = [Transcript() with { Total = 11, Entries = Log.Add(Text(payload)) }],
            Streams = state.Streams is null ? null : [new(Session, SessionEvents.Add(last))],
        }) with
        {
            Watchers = history.Watchers.SetItem(2, history.Watchers[2] with { Events = history.Watchers[2].Events.Add(last) }),
        };
    }

    /// <summary>The history in which every source says something else.</summary>
    public static History WithFinals(this History history, Func<FinalState, FinalState> change) =>
        history with { Finals = [.. history.Finals.Select(change)] };

    /// <summary>The history in which an attempt to append went otherwise.</summary>
    public static History WithAppend(this History history, int number, Func<Append, Append> change) =>
        history with { Appends = history.Appends.SetItem(number, change(history.Appends[number])) };

    /// <summary>The history in which a watcher collected something else.</summary>
    public static History WithWatcher(this History history, int number, Func<Watched, Watched> change) =>
        history with { Watchers = history.Watchers.SetItem(number, change(history.Watchers[number])) };

    /// <summary>The history in which the run that was lost is another one in the end.</summary>
    public static History WithLost(this History history, Func<FinalRun, FinalRun> change) => history.WithFinals(state => state with
    {
        Runs = state.Runs is [var first, var lost] ? [first, change(lost)] : null,
    });

    /// <summary>The history in which the run that was lost has become a program that printed one line.</summary>
    public static History WithoutLostRun(this History history)
    {
        const string Exit = """{"exit_code":0,"duration_ms":5,"timed_out":false,"cancelled":false}""";
        var end = new StreamEvent(2, "exit", Exit);
        var told = new StreamEvent(14, "exit", Exit.Replace("{", """{"run_id":"run_2",""", StringComparison.Ordinal));
        return history
            .WithFinals(state => state with
            {
                Runs = state.Runs is [var first, var lost] ? [first, lost with { Status = "exited", ExitCode = 0, Events = lost.Events.SetItem(2, end) }] : null,
                Streams = state.Streams is [var stream] ? [stream with { Events = stream.Events.SetItem(14, told) }] : null,
            })
            .WithWatcher(1, watched => watched with { Events = watched.Events.SetItem(1, end) })
            .WithWatcher(2, watched => watched with { Events = watched.Events.SetItem(8, told) }) with
        {
            Runs = history.Runs.SetItem(2, history.Runs[2] with { Output = "line 0\n" }),
        };
    }

    /// <summary>Expects that the checker finds something in a history, and nothing but breaches of one rule.</summary>
    public static void Finds(Rule rule, History history)
    {
        var found = HistoryChecker.Check(history);

        Assert.NotEmpty(found);
        Assert.All(found, violation => Assert.True(violation.Rule == rule, violation.ToString()));
    }

    private static FinalState State(string source) => new(
        source,
        [new FinalSession(Session, "name", "idle", """{ "session_id": "session", "metrics": { "run_count": 2 }, "status": "idle", "more": 1 }""")],
        [Transcript()],
        [
            new FinalRun(Session, FirstRun, "first", "exited", ExitCode: 0, Ended: Ms(55), FirstRunEvents),
            new FinalRun(Session, LostRun, "second", "lost", ExitCode: null, Ended: Ms(79), LostRunEvents),
        ],
        [new FinalStream(Session, SessionEvents)]);

    private static FinalLog Transcript() => new(Session, Log.Length, Log);

    private static LogEntry Text(string payload) => new("t", "user", "text", payload, ToolId: null);

    private static LogEntry Use(string run) => new("t", "assistant", "tool_use", "", run);

    private static LogEntry Result(string run) => new("t", "tool", "tool_result", "line 0\n", run);

    private static StreamEvent EntryEvent(long id, int index)
    {
        var entry = Log[index];
        var data = new { index, entry = new { at = entry.At, role = entry.Role, kind = entry.Kind, content = entry.Content, tool_id = entry.ToolId } };
        return new(id, "entry", JsonSerializer.Serialize(data));
    }
}
