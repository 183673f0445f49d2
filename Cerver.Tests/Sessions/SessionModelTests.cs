using System.Collections.Immutable;
using System.Text;
using Cerver.Errors;
using Cerver.Operations;
using Cerver.Sessions;
using Cerver.Tests.Calls;
using CsCheck;
using static Cerver.Tests.GrainCluster;

namespace Cerver.Tests.Sessions;

/// <summary>A session over real storage does what the pure model of a session does.</summary>
public abstract class SessionModelTests(GrainCluster cluster)
{
    // Few keys, few texts: the interesting things happen when calls meet.
    private static readonly Gen<string?> Key = Gen.Frequency((3, Gen.Const((string?)null)), (2, Gen.Int[0, 2].Select(static key => new string?[] { "a", "b", "c" }[key])));
    private static readonly Gen<string> Word = Gen.Int[0, 2].Select(static word => new[] { "x", "y", "z" }[word]);

    private static readonly Gen<SessionCall> AppendCall =
        Gen.Select(Word.Array[1, 3], Gen.Frequency((3, Gen.Const((long?)null)), (1, Gen.Long[0, 6].Select(static expected => (long?)expected))), Key)
            .Select(static SessionCall (texts, expected, key) => new SessionCall.Append([.. texts], expected, key));

    private static readonly Gen<SessionCall> Call = Gen.Frequency(
        (8, AppendCall),
        (3, Gen.Select(Word, Key).Select(static SessionCall (text, key) => new SessionCall.Input(text, key))),
        (2, Gen.Select(Word, Key).Select(static SessionCall (name, key) => new SessionCall.Rename(name, key))),
        (2, Key.Select(static SessionCall (key) => new SessionCall.Pause(key))),
        (2, Key.Select(static SessionCall (key) => new SessionCall.Resume(key))),
        (1, Key.Select(static SessionCall (key) => new SessionCall.End(key))));

    private static readonly Gen<SessionCall> Unnamed = Call.Select(static call => call with { Key = null });

    /// <summary>
    /// Attempts are lost and activations with them, or attempts come late to the activation that carried out what came after them. One that
    /// comes late to another is told from a new one by its age, which nothing here has.
    /// </summary>
    private static readonly Gen<Fault[]>[] Faults = [FaultsWith(Fault.ActivationGone), FaultsWith(Fault.Late)];

    [Fact]
    public Task Calls_one_after_the_other_answer_as_the_model_does_and_leave_what_it_leaves() =>
        Call.Array[1, 25].SampleAsync(
            async calls =>
            {
                var (session, accountId, sessionId) = cluster.NewSession();
                var model = SessionModel.New((await session.CreateAsync(Request())).Value.SessionName);
                foreach (var call in calls)
                {
                    (model, var expected) = model.Apply(call);
                    Assert.Equal(expected, await MakeAsync(session, call));
                }

                await AssertLeftAsync(model, accountId, sessionId);
                await session.EndAsync(purge: true);
            },
            iter: 60,
            threads: 1);

    [Fact]
    public Task Calls_whose_attempts_get_lost_on_the_way_answer_as_the_model_does_and_leave_what_it_leaves() =>
        Gen.Select(Unnamed.Array[1, 20], Gen.OneOf(Faults)).SampleAsync(
            async (calls, faults) =>
            {
                var line = new LossyLine(faults);
                var (session, accountId, sessionId) = cluster.NewSession();
                var model = SessionModel.New((await session.CreateAsync(Request())).Value.SessionName);
                foreach (var call in calls)
                {
                    (model, var expected) = model.Apply(call);
                    Assert.Equal(expected, await MakeAsync(session, call, line));
                }

                await Task.WhenAll(line.Late);
                await AssertLeftAsync(model, accountId, sessionId);
                await session.EndAsync(purge: true);
            },
            iter: 60,
            threads: 1);

    [Fact]
    public Task Concurrent_calls_whose_attempts_get_lost_on_the_way_happen_once_each_in_some_order_that_keeps_each_callers_own() =>
        Gen.OneOf(Array.ConvertAll(Faults, static faults => Gen.Select(Unnamed.Array[1, 4], faults).Array[3])).SampleAsync(
            async callers =>
            {
                var (session, accountId, sessionId) = cluster.NewSession();
                var start = SessionModel.New((await session.CreateAsync(Request())).Value.SessionName);
                var answers = await Task.WhenAll(callers.Select(async caller =>
                {
                    var (line, made) = (new LossyLine(caller.Item2), new List<string>());
                    foreach (var call in caller.Item1)
                    {
                        made.Add(await MakeAsync(session, call, line));
                    }

                    await Task.WhenAll(line.Late);
                    return made;
                }));

                var left = await ReadAsync(accountId, sessionId);
                var calls = Array.ConvertAll(callers, static caller => caller.Item1);
                Assert.True(Explains(start, calls, answers, new int[calls.Length], left), Describe(calls, answers, left));
                await session.EndAsync(purge: true);
            },
            iter: 100,
            threads: 1,
            print: static _ => "");

    [Fact]
    public Task Concurrent_calls_answer_as_the_model_does_in_some_order_that_keeps_each_callers_own() =>
        Call.Array[1, 5].Array[3].SampleAsync(
            async callers =>
            {
                var (session, accountId, sessionId) = cluster.NewSession();
                var start = SessionModel.New((await session.CreateAsync(Request())).Value.SessionName);
                var answers = await Task.WhenAll(callers.Select(async calls =>
                {
                    var made = new List<string>();
                    foreach (var call in calls)
                    {
                        made.Add(await MakeAsync(session, call));
                    }

                    return made;
                }));

                var left = await ReadAsync(accountId, sessionId);
                Assert.True(Explains(start, callers, answers, new int[callers.Length], left), Describe(callers, answers, left));
                await session.EndAsync(purge: true);
            },
            iter: 100,
            threads: 1,
            print: static _ => "");

    /// <summary>One attempt of a few is answered.</summary>
    private static Gen<Fault[]> FaultsWith(Fault fault) => Gen.Select(
        Gen.Int[0, 3].Select(kind => new[] { Fault.None, Fault.NotDelivered, Fault.AnswerLost, fault }[kind]).Array[0, 8], static faults => (Fault[])[.. faults, Fault.None]);

    /// <summary>Whether some order of what is left to be made gives these answers and, in the end, this.</summary>
    private static bool Explains(SessionModel model, SessionCall[][] callers, List<string>[] answers, int[] made, Left left)
    {
        var isDone = true;
        for (var caller = 0; caller < callers.Length; caller++)
        {
            if (made[caller] == callers[caller].Length)
            {
                continue;
            }

            isDone = false;
            var (next, answer) = model.Apply(callers[caller][made[caller]]);
            if (answer != answers[caller][made[caller]])
            {
                continue;
            }

            made[caller]++;
            if (Explains(next, callers, answers, made, left))
            {
                return true;
            }

            made[caller]--;
        }

        return isDone && Left.Of(model) == left;
    }

    private async Task AssertLeftAsync(SessionModel model, string accountId, string sessionId) =>
        Assert.Equal(Left.Of(model), await ReadAsync(accountId, sessionId));

    private async Task<Left> ReadAsync(string accountId, string sessionId)
    {
        var page = await cluster.Recall.ReadSessionAsync(accountId, sessionId, new());
        var events = await cluster.Recall.ReadEventsAsync(accountId, sessionId, from: 0);
        Assert.Equal(Enumerable.Range(0, events.Events.Length).Select(static position => (long)position), events.Events.Select(happened => happened.Position));
        Assert.Equal((events.Events.Length, page.Entries.Length), ((int)events.Head, (int)page.Session.TranscriptTotal));
        return new Left(
            page.Session.Status,
            page.Session.SessionName,
            string.Join(' ', page.Entries.Select(entry => entry.Content)),
            string.Join(", ", events.Events.Select(happened => happened switch
            {
                EntryAdded added => $"entry {added.Index}",
                StatusChanged changed => $"status {changed.Status}",
                _ => happened.ToString(),
            })));
    }

    private static async Task<string> MakeAsync(ISessionGrain session, SessionCall call, Line? line = null)
    {
        line ??= new Line();

        // Another call under the same key is another request.
        var operation = call.Key is null ? null : new Operation($"{session.GetPrimaryKeyString()} {call.Key}", [.. Encoding.UTF8.GetBytes(RequestOf(call))]);
        try
        {
            return call switch
            {
                SessionCall.Append append => Answer(
                    await line.WriteAsync(session, operation, name => session.AppendAsync(new([.. append.Texts.Select(Text)], append.Expected), name)), static total => $"{total}"),
                SessionCall.Input input => Answer(
                    await line.WriteAsync(session, operation, name => session.InputAsync(Text(input.Text), name)), static record => $"{record.TranscriptTotal} {record.Status}"),
                SessionCall.Rename rename => Answer(
                    await line.WriteAsync(session, operation, name => session.UpdateAsync(new(rename.Name, Metadata: null), name)), static record => $"{record.SessionName} {record.Status}"),
                SessionCall.Pause => Answer(await line.WriteAsync(session, operation, name => session.PauseAsync(name)), static record => $"{record.Status}"),
                SessionCall.Resume => Answer(await line.WriteAsync(session, operation, name => session.ResumeAsync(compute: null, name)), static record => $"{record.Status}"),
                SessionCall.End => Answer(await line.WriteAsync(session, operation, name => session.EndAsync(purge: false, name)), static status => $"{status}"),
                _ => throw new InvalidOperationException($"No call for {call}."),
            };
        }
        catch (CerverException refusal)
        {
            return $"{refusal.Code}";
        }
    }

    private static string Answer<T>(Outcome<T> outcome, Func<T, string> describe) =>
        outcome.IsReplayed ? $"{describe(outcome.Value)} again" : describe(outcome.Value);

    private static string RequestOf(SessionCall call) =>
        call is SessionCall.Append append ? $"append {string.Join(' ', append.Texts)} {append.Expected}" : $"{call}";

    private static string Describe(SessionCall[][] callers, List<string>[] answers, Left left) =>
        $"{string.Join("; ", callers.Select((calls, caller) => string.Join(", ", calls.Zip(answers[caller], static (call, answer) => $"{RequestOf(call)} {call.Key} = {answer}"))))} left {left}";

    /// <summary>What can be seen of a session in the end.</summary>
    private sealed record Left(SessionStatus Status, string Name, string Contents, string Happened)
    {
        public static Left Of(SessionModel model) =>
            new(model.Status, model.Name, string.Join(' ', model.Contents), string.Join(", ", model.Happened));
    }
}

/// <inheritdoc/>
[Collection(nameof(GrainCluster))]
public sealed class SqliteSessionModelTests(GrainCluster cluster) : SessionModelTests(cluster);

/// <inheritdoc/>
[Collection(nameof(PostgresGrainCluster))]
public sealed class PostgresSessionModelTests(PostgresGrainCluster cluster) : SessionModelTests(cluster);
