using System.Collections.Concurrent;
using System.Collections.Immutable;
using Cerver.Accounts;
using Cerver.Computes;
using Cerver.Errors;
using Cerver.Operations;
using Cerver.Runs;
using Cerver.Search;
using Cerver.Sessions;

namespace Cerver.Tests.Api;

internal sealed class FakeSession(string key, FakeCluster cluster) : ISessionGrain
{
    public SessionRecord? Record { get; private set; }

    public List<TranscriptEntry> Entries { get; } = [];

    public List<ImportPart> Imported { get; } = [];

    public CreateSession? Created { get; private set; }

    public ComputeChoice? Chosen { get; private set; }

    public ConcurrentDictionary<string, RunRecord> Runs { get; } = new(StringComparer.Ordinal);

    public StartRun? Started { get; private set; }

    /// <summary>The ids of the runs that were to start, attempt by attempt.</summary>
    public List<string> AskedRuns { get; } = [];

    public Task<Outcome<SessionRecord>> CreateAsync(CreateSession request, Operation? operation = null, CancellationToken cancellationToken = default) =>
        OnceAsync(operation, () =>
        {
            var (accountId, sessionId) = SessionKey.Parse(key);
            var hasCompute = request.Compute.Kind != ComputeChoiceKind.None;
            Created = request;
            return Record = Examples.Session with
            {
                SessionId = sessionId,
                AccountId = accountId,
                SessionName = request.SessionName ?? "session",
                Status = hasCompute ? SessionStatus.Running : SessionStatus.Idle,
                SessionType = request.SessionType,
                Harness = request.Harness,
                Provider = hasCompute ? "local" : "none",
                ComputeId = hasCompute ? "provider_local" : null,
                SandboxId = hasCompute ? "sbx_1" : null,
                Requirements = request.Requirements,
                Metadata = request.Metadata,
            };
        });

    public Task<ImportProgress> ImportAsync(ImportPart part, CancellationToken cancellationToken = default)
    {
        Fail(cluster.Failures);
        var isWhole = Record is not null && Record.EndReason != EndReasons.ImportIncomplete;
        if (isWhole || part.First != Entries.Count)
        {
            return Task.FromResult(new ImportProgress(Record!, isWhole, IsNew: false));
        }

        Imported.Add(part);
        Entries.AddRange(part.Entries);
        var (accountId, sessionId) = SessionKey.Parse(key);
        Record = Examples.Session with
        {
            SessionId = sessionId,
            AccountId = accountId,
            SessionName = part.Session.SessionName ?? part.Title ?? "session",
            Status = part.IsEnded ? SessionStatus.Ended : SessionStatus.Idle,
            EndReason = part.IsLast ? part.EndReason : EndReasons.ImportIncomplete,
            Harness = part.Session.Harness,
            Metadata = part.Session.Metadata,
            TranscriptTotal = Entries.Count,
        };
        Fail(cluster.LostAnswers);
        return Task.FromResult(new ImportProgress(Record, part.IsLast, part.IsLast));
    }

    public Task<Outcome<SessionRecord>> UpdateAsync(UpdateSession request, Operation? operation = null, CancellationToken cancellationToken = default) =>
        ChangeAsync(operation, session => session with { SessionName = request.SessionName ?? session.SessionName, Metadata = request.Metadata ?? session.Metadata });

    public Task<Outcome<long>> AppendAsync(AppendEntries request, Operation? operation = null, CancellationToken cancellationToken = default) =>
        OnceAsync(operation, () =>
        {
            Entries.AddRange(request.Entries);
            Record = Required() with { TranscriptTotal = Entries.Count };
            return (long)Entries.Count;
        });

    public Task<Outcome<SessionRecord>> ReportStatusAsync(ReportStatus report, Operation? operation = null, CancellationToken cancellationToken = default) =>
        ChangeAsync(operation, session => session with { Status = report.Status, EndReason = report.Reason });

    public Task<Outcome<SessionRecord>> InputAsync(TranscriptEntry entry, Operation? operation = null, CancellationToken cancellationToken = default) =>
        ChangeAsync(operation, session =>
        {
            Entries.Add(entry);
            return session with { TranscriptTotal = Entries.Count };
        });

    public Task<Outcome<SessionRecord>> ResumeAsync(ComputeChoice? compute, Operation? operation = null, CancellationToken cancellationToken = default) =>
        ChangeAsync(operation, session =>
        {
            Chosen = compute;
            return session with { Status = SessionStatus.Running };
        });

    public Task<Outcome<SessionRecord>> PauseAsync(Operation? operation = null, CancellationToken cancellationToken = default) =>
        ChangeAsync(operation, static session => session with { Status = SessionStatus.Idle });

    public Task<Outcome<SessionRecord>> ChangeComputeAsync(ComputeChoice compute, Operation? operation = null, CancellationToken cancellationToken = default) =>
        ChangeAsync(operation, session =>
        {
            Chosen = compute;
            return session;
        });

    public async Task<Outcome<SessionStatus>> EndAsync(bool purge, Operation? operation = null, CancellationToken cancellationToken = default)
    {
        var ended = await ChangeAsync(operation, static session => session with { Status = SessionStatus.Ended });
        return new(ended.Value.Status, ended.IsReplayed);
    }

    public Task<Outcome<RunRecord>> StartRunAsync(StartRun request, Operation? operation = null, CancellationToken cancellationToken = default)
    {
        AskedRuns.Add(request.RunId);
        return OnceAsync(operation, () =>
        {
            Started = request;
            return Runs[request.RunId] = Examples.Run with { RunId = request.RunId, SessionId = Required().SessionId, Code = request.Code };
        });
    }

    public Task CompleteRunAsync(RunEnd ended, CancellationToken cancellationToken = default) => throw new NotSupportedException();

    public Task SandboxLostAsync(string sandboxId, CancellationToken cancellationToken = default) => throw new NotSupportedException();

    public Task<TimeSpan> CheckIdleAsync(string sandboxId, ImmutableArray<string> going, CancellationToken cancellationToken = default) =>
        Task.FromResult(TimeSpan.Zero);

    public async Task<long> WaitAsync(long known, TimeSpan atMost, CancellationToken cancellationToken = default)
    {
        await Task.Yield();
        return cluster.Recall.Failing?.Invoke() is { } failure ? throw failure : known + 1;
    }

    public Task OutputRecordedAsync(CancellationToken cancellationToken = default) => throw new NotSupportedException();

    public Task<string> GetSandboxAsync(CancellationToken cancellationToken = default) => throw new NotSupportedException();

    public Task TouchFilesAsync(string sandboxId, CancellationToken cancellationToken = default) => throw new NotSupportedException();

    private Task<Outcome<SessionRecord>> ChangeAsync(Operation? operation, Func<SessionRecord, SessionRecord> change) =>
        OnceAsync(operation, () => Record = change(Required()));

    /// <summary>An operation that was seen before is a replay, whatever it asks for.</summary>
    private Task<Outcome<T>> OnceAsync<T>(Operation? operation, Func<T> write)
        where T : notnull
    {
        Fail(cluster.Failures);
        if (operation is not null && cluster.Results.TryGetValue(operation.Key, out var earlier))
        {
            return Task.FromResult(new Outcome<T>((T)earlier, IsReplayed: true));
        }

        var result = write();
        if (operation is not null)
        {
            cluster.Operations[operation.Key] = operation;
            cluster.Results[operation.Key] = result;
        }

        Fail(cluster.LostAnswers);
        return Task.FromResult(new Outcome<T>(result, IsReplayed: false));
    }

    private SessionRecord Required() => Record ?? throw new CerverException(CerverError.NotFound, "There is no session of this id.");

    private static void Fail(ConcurrentQueue<Exception> failures)
    {
        if (failures.TryDequeue(out var failure))
        {
            throw failure;
        }
    }
}

internal sealed class FakeRecall(ConcurrentDictionary<string, FakeSession> sessions) : IRecallGrain
{
    /// <summary>How many entries one page takes.</summary>
    public int PageSize { get; set; } = 1_000;

    /// <summary>What stands in the way of reading, or null.</summary>
    public Exception? Obstacle { get; set; }

    /// <summary>How the next read fails, or null when it does not.</summary>
    public Func<Exception?>? Failing { get; set; }

    /// <summary>How often the database was asked whether it answers.</summary>
    public int Pings { get; private set; }

    public SessionFilter? Filter { get; private set; }

    public Task<SessionList> ListSessionsAsync(string accountId, SessionFilter filter, CancellationToken cancellationToken = default)
    {
        Fail();
        Filter = filter;
        ImmutableArray<SessionRecord> all = [.. sessions.Values.Select(static session => session.Record!).Where(session => session is not null && string.Equals(session.AccountId, accountId, StringComparison.Ordinal))];
        return Task.FromResult(new SessionList(all, all.Length > filter.Limit ? new(all[filter.Limit - 1].UpdatedAt, all[filter.Limit - 1].SessionId) : null));
    }

    public Task<SessionPage> ReadSessionAsync(
        string accountId, string sessionId, TranscriptSlice slice, CancellationToken cancellationToken = default)
    {
        var session = Find(accountId, sessionId);
        var total = session.Entries.Count;
        var first = slice.Tail is { } tail ? Math.Max(total - tail, 0) : Math.Min(slice.Since ?? 0, total);
        return Task.FromResult(new SessionPage(session.Record!, first, [.. session.Entries.Skip((int)first).Take(PageSize)]));
    }

    public Task<ImmutableArray<RunRecord>> ListRunsAsync(
        string accountId, string sessionId, string? before, int limit, CancellationToken cancellationToken = default) =>
        Task.FromResult<ImmutableArray<RunRecord>>([.. Find(accountId, sessionId).Runs.Values.OrderByDescending(static run => run.RunId, StringComparer.Ordinal)
            .Where(run => before is null || string.CompareOrdinal(run.RunId, before) < 0).Take(limit)]);

    public Task<RunRecord> GetRunAsync(string accountId, string sessionId, string runId, CancellationToken cancellationToken = default) =>
        Task.FromResult(Find(accountId, sessionId).Runs.TryGetValue(runId, out var run)
            ? run
            : throw new CerverException(CerverError.NotFound, "There is no run of this id."));

    public Task<ImmutableArray<RunChunk>> ReadOutputAsync(string accountId, string runId, long after, CancellationToken cancellationToken = default)
    {
        Fail();
        return Task.FromResult<ImmutableArray<RunChunk>>([]);
    }

    /// <summary>A session began idle, has its entries, and may have ended after them.</summary>
    public Task<SessionEventPage> ReadEventsAsync(string accountId, string sessionId, long from, CancellationToken cancellationToken = default)
    {
        var session = Find(accountId, sessionId);
        ImmutableArray<SessionEvent> events =
        [
            new StatusChanged(0, SessionStatus.Idle, EndReason: null),
            .. session.Entries.Select(static (entry, index) => new EntryAdded(index + 1, index, entry)),
            .. session.Record!.Status == SessionStatus.Ended ? [new StatusChanged(session.Entries.Count + 1, SessionStatus.Ended, EndReason: null)] : (SessionEvent[])[],
        ];
        return Task.FromResult(new SessionEventPage(events.Length, [.. events.Where(happened => happened.Position >= from).Take(PageSize)]));
    }

    /// <summary>What every search finds.</summary>
    public SearchPage Found { get; set; } = new([], Next: null, MatchedAll: true);

    /// <summary>What was looked for last.</summary>
    public SearchRequest? Sought { get; private set; }

    /// <summary>Each session changed once, in no particular order.</summary>
    public Task<ChangedSessions> ListChangedAsync(string accountId, long after, int limit, CancellationToken cancellationToken = default)
    {
        Fail();
        ImmutableArray<ChangedSession> changed = [.. sessions.Values.Select(static session => session.Record!).Select(static (record, index) => new ChangedSession(index + 1, record))];
        return Task.FromResult(new ChangedSessions(changed.Length, [.. changed.Where(session => session.Change > after).Take(limit)]));
    }

    public Task<SearchPage> SearchAsync(string accountId, SearchRequest request, CancellationToken cancellationToken = default)
    {
        Fail();
        Sought = request;
        return Task.FromResult(Found);
    }

    public Task PingAsync(CancellationToken cancellationToken = default)
    {
        Pings++;
        return Obstacle is null ? Task.CompletedTask : throw Obstacle;
    }

    private void Fail()
    {
        if ((Obstacle ?? Failing?.Invoke()) is { } failure)
        {
            throw failure;
        }
    }

    private FakeSession Find(string accountId, string sessionId)
    {
        Fail();
        return sessions.TryGetValue(SessionKey.For(accountId, sessionId), out var session) && session.Record is not null
            ? session
            : throw new CerverException(CerverError.NotFound, "There is no session of this id.");
    }
}

internal sealed class FakeCompute : IComputeGrain
{
    public List<string> Cancelled { get; } = [];

    public Task<bool> CancelAsync(string runId, CancellationToken cancellationToken = default)
    {
        Cancelled.Add(runId);
        return Task.FromResult(true);
    }

    public Task<bool> IsUpAsync(CancellationToken cancellationToken = default) => throw new NotSupportedException();

    public Task AttachAsync(AttachSandbox request, CancellationToken cancellationToken = default) => throw new NotSupportedException();

    public Task StartAsync(SandboxRun run, CancellationToken cancellationToken = default) => throw new NotSupportedException();

    public Task<string?> TellAgentAsync(TellAgent request, CancellationToken cancellationToken = default) => throw new NotSupportedException();

    /// <summary>What is said of a run that is waited for.</summary>
    public Func<string, RunHead>? Waited { get; set; }

    public async Task<RunHead> WaitAsync(string runId, TimeSpan atMost, CancellationToken cancellationToken = default)
    {
        await Task.Yield();
        return Waited!(runId);
    }

    public Task<ImmutableArray<RunEnd>> SuspendAsync(CancellationToken cancellationToken = default) => throw new NotSupportedException();

    public Task<ImmutableArray<RunEnd>> ReleaseAsync(CancellationToken cancellationToken = default) => throw new NotSupportedException();

    public Task<ImmutableArray<SandboxReceipt>> DeliverAsync(string computeId, ImmutableArray<SandboxEvent> events, CancellationToken cancellationToken) =>
        throw new NotSupportedException();

    public Task<FileListing> ListFilesAsync(ListFiles request, CancellationToken cancellationToken = default) => throw new NotSupportedException();

    public Task<FilePart> ReadFileAsync(ReadFile request, CancellationToken cancellationToken = default) => throw new NotSupportedException();

    public Task BeginFileAsync(BeginFile request, CancellationToken cancellationToken = default) => throw new NotSupportedException();

    public Task WriteFileAsync(WriteFile part, CancellationToken cancellationToken = default) => throw new NotSupportedException();

    public Task<FilePlaced> PlaceFileAsync(PlaceFile request, CancellationToken cancellationToken = default) => throw new NotSupportedException();

    public Task AbandonFileAsync(string uploadId, CancellationToken cancellationToken = default) => throw new NotSupportedException();

    public Task DeleteFileAsync(DeleteFile request, CancellationToken cancellationToken = default) => throw new NotSupportedException();
}

internal sealed class FakeAccount : IAccountGrain
{
    public Task<ImmutableArray<ComputeInfo>> ListComputesAsync(CancellationToken cancellationToken = default) =>
        Task.FromResult<ImmutableArray<ComputeInfo>>(
            [new("provider_local", "This machine", "local", ComputeStatus.Unconfigured, "bubblewrap is missing.", "shared", "host", [SandboxRuntime.Shell], Network: false)]);
}
