using Cerver.Computes;
using Cerver.Errors;
using Cerver.Grains.Computes.Hosts;
using Cerver.Grains.Computes.Relays;
using Cerver.Grains.Runs;
using Cerver.Grains.Secrets.Redaction;
using Cerver.Grains.Sessions;
using Cerver.Runs;
using Cerver.Sessions;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Orleans.Streams;

namespace Cerver.Grains.Computes;

/// <inheritdoc cref="IComputeGrain"/>
[GrainType("compute"), HostPlacement]
internal sealed partial class ComputeGrain(
    [PersistentState("compute", ComputeGrain.StorageName)] IPersistentState<ComputeState> state,
    HostProviders providers,
    SandboxDrain drain,
    IRunStore runs,
    TaintRegistry registry,
    ISessionStore sessions,
    IOptions<SessionLimits> limits,
    IOptions<SandboxLifetimeOptions> lifetime,
    TimeProvider time,
    ILogger<ComputeGrain> logger) : Grain, IComputeGrain, IRemindable, IIncomingGrainCallFilter, IDisposable
{
    /// <summary>The ADO.NET provider that keeps the state of grains.</summary>
    public const string StorageName = "grains";

    /// <summary>The reminder that looks after the files. It is only an alarm: what is on disk says whether they go.</summary>
    private const string FilesReminder = "files";

    private static readonly TimeSpan MaxFilesPeriod = TimeSpan.FromHours(1);
    private static readonly TimeSpan WaitLimit = TimeSpan.FromSeconds(1);

    /// <summary>Well below the time after which Orleans gives up on a call, so that a start which was given up has not begun.</summary>
    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(20);

    /// <summary>A run cannot start while files are removed, and its start is waited for a little longer.</summary>
    private static readonly TimeSpan DeleteLimit = TimeSpan.FromSeconds(15);

    /// <summary>The session suspends this sandbox before it answers. When this activation ends meanwhile they would wait for each other.</summary>
    private static readonly TimeSpan IdleAnswerLimit = TimeSpan.FromSeconds(10);

    /// <summary>Machines say every ten seconds which runs they have. One that has not been heard of for so long since its sandbox was is not there.</summary>
    private static readonly TimeSpan MachinePatience = TimeSpan.FromSeconds(30);

    private string _accountId = "";
    private string _sandboxId = "";
    private string _sessionId = "";
    private ISandbox? _sandbox;
    private SandboxIdleWatch? _idleWatch;
    private SandboxRuns? _runs;
    private bool _isInDoubt;
    private long _followedAt;
    private TimeSpan _idleTimeout = lifetime.Value.IdleTimeout;

    /// <inheritdoc/>
    public override Task OnActivateAsync(CancellationToken cancellationToken)
    {
        (_accountId, _sandboxId) = SandboxKey.Parse(this.GetPrimaryKeyString());
        _sessionId = state.State.SessionId;
        _runs = new(runs, _sandboxId, limits.Value.MaxOutputBytes, StayActive, time, logger);
        _idleWatch = new(
            token => Session().CheckIdleAsync(_sandboxId, _runs.Going, token).WaitAsync(IdleAnswerLimit, time, token), () => _sandbox is not null, _sandboxId, logger);
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public override async Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken)
    {
        await _runs!.StopTellingAsync();
        if (_sandbox is MachineSandbox outlives)
        {
            _sandbox = null;
            outlives.Detach();
        }
        else if (_sandbox is { } sandbox)
        {
            _sandbox = null;
            await sandbox.DisposeAsync();

            // The session may be waiting for this very activation, so nobody may wait for the session here. When the word is lost the status says
            // running until the next run, pause or start of the gateway.
            Session().SandboxLostAsync(_sandboxId, CancellationToken.None).Ignore();
        }
    }

    /// <summary>Away from the sandbox's host this activation only stands in, and the host may be back with the next call.</summary>
    public async Task Invoke(IIncomingGrainCallContext context)
    {
        try
        {
            await context.Invoke();
        }
        finally
        {
            if (!providers.IsAtHome(Ids.HostOfSandbox(_sandboxId)))
            {
                DeactivateOnIdle();
            }
        }
    }

    /// <inheritdoc/>
    public async Task AttachAsync(AttachSandbox request, CancellationToken cancellationToken)
    {
        var wanted = new ComputeState
        {
            SessionId = request.SessionId,
            Provider = request.Provider,
            Network = request.Requirements.Network,
            ComputeId = request.ComputeId,
        };
        _idleTimeout = request.Requirements.IdleTimeout ?? lifetime.Value.IdleTimeout;
        if (!state.RecordExists || (IsOnMachine ? state.State : state.State with { DownSince = null }) != wanted)
        {
            // The reminder first: it finds whatever a crash leaves half done from here on.
            await StoreAsync(RemindAsync(request.ComputeId is null ? lifetime.Value.Retention : FilesPeriod));
            _sessionId = wanted.SessionId;
            state.State = wanted;
            await StoreAsync(state.WriteStateAsync(cancellationToken));
        }

        if (!IsOnMachine)
        {
            drain.RequireStaying();
        }

        await (await OpenAsync(cancellationToken)).RequireReachableAsync(cancellationToken);
    }

    /// <inheritdoc/>
    public Task<bool> IsUpAsync(CancellationToken cancellationToken) => Task.FromResult(_sandbox is { Closed.IsCompleted: false } || IsUpElsewhere);

    /// <inheritdoc/>
    public async Task StartAsync(SandboxRun run, CancellationToken cancellationToken)
    {
        if (_runs!.IsGoing(run.RunId))
        {
            return;
        }

        var taints = await registry.OfAsync(_accountId);
        Action over = IsOnMachine ? static () => { } : drain.Ended;
        if (!IsOnMachine)
        {
            drain.Begin();
        }

        var command = new SandboxCommand(run.Code, run.Runtime, SandboxEnvironment.Of(run))
        {
            RunId = run.RunId,
            Timeout = run.Timeout,
            MaxOutputBytes = limits.Value.MaxOutputBytes + 1,
        };
        Record(new FollowedRun(run, await StartProcessAsync(command, over, cancellationToken), taints, over));
    }

    /// <inheritdoc/>
    public async Task<ImmutableArray<SandboxReceipt>> DeliverAsync(string computeId, ImmutableArray<SandboxEvent> events, CancellationToken cancellationToken)
    {
        var isOurs = state.RecordExists && computeId.Equals(state.State.ComputeId, StringComparison.Ordinal);
        var receipts = ImmutableArray.CreateBuilder<SandboxReceipt>();
        foreach (var some in events.GroupBy(static what => what.RunId, StringComparer.Ordinal))
        {
            receipts.Add(
                !isOurs ? new SandboxReceipt(some.Key, Sequence: 0, IsOver: true)
                : some.Key is null ? await TakeAsync(some.Last())
                : await TakeAsync(some.Key, some, cancellationToken));
        }

        return receipts.ToImmutable();
    }

    /// <inheritdoc/>
    public async Task<RunHead> WaitAsync(string runId, TimeSpan atMost, CancellationToken cancellationToken)
    {
        var limit = atMost < WaitLimit ? atMost : WaitLimit;
        if (await _runs!.WaitAsync(runId, limit, cancellationToken) is { } head)
        {
            return head;
        }

        var run = await runs.FindAsync(_accountId, _sessionId, runId, cancellationToken)
            ?? throw new CerverException(CerverError.NotFound, "There is no such run in this sandbox.");
        if (run.Status == RunStatus.Running)
        {
            // It is about to start here, or whoever was to record its end is gone.
            await Task.Delay(limit, time, cancellationToken);
            if (time.GetUtcNow() - run.StartedAt > GoingRuns.LostAge && !_runs.IsGoing(runId) && !MayBeOnMachine)
            {
                // Not waited for: the session may be waiting for this very activation. Whoever looks again finds out.
                Session().CompleteRunAsync(RunEnd.Lost(runId, time.GetUtcNow()), CancellationToken.None).Ignore();
            }
        }

        return new RunHead(run.OutputHead, Closed: run.Status != RunStatus.Running);
    }

    /// <inheritdoc/>
    public Task<bool> CancelAsync(string runId, CancellationToken cancellationToken) => Task.FromResult(_runs!.Cancel(runId));

    /// <inheritdoc/>
    public async Task<ImmutableArray<RunEnd>> SuspendAsync(CancellationToken cancellationToken)
    {
        if (_sandbox is not null && state.RecordExists)
        {
            await NoteDownAsync();
        }

        return await CloseAsync();
    }

    /// <inheritdoc/>
    public async Task<ImmutableArray<RunEnd>> ReleaseAsync(CancellationToken cancellationToken)
    {
        var ended = await CloseAsync();
        if (state.RecordExists)
        {
            await Provider().RemoveAsync(_sandboxId, cancellationToken);
            await StoreAsync(state.ClearStateAsync(cancellationToken));
        }

        // Also of an attachment that came no further than its reminder.
        await StoreAsync(ForgetReminderAsync());
        return ended;
    }

    /// <inheritdoc/>
    public Task<FileListing> ListFilesAsync(ListFiles request, CancellationToken cancellationToken) => Files().ListAsync(_sandboxId, request, cancellationToken);

    /// <inheritdoc/>
    public Task<FilePart> ReadFileAsync(ReadFile request, CancellationToken cancellationToken) => Files().ReadAsync(_sandboxId, request, cancellationToken);

    /// <inheritdoc/>
    public Task BeginFileAsync(BeginFile request, CancellationToken cancellationToken) => Files().BeginAsync(_sandboxId, request, cancellationToken);

    /// <inheritdoc/>
    public Task WriteFileAsync(WriteFile part, CancellationToken cancellationToken) => Files().WriteAsync(_sandboxId, part, cancellationToken);

    /// <inheritdoc/>
    public Task<FilePlaced> PlaceFileAsync(PlaceFile request, CancellationToken cancellationToken) => Files().PlaceAsync(_sandboxId, request, cancellationToken);

    /// <inheritdoc/>
    public Task AbandonFileAsync(string uploadId, CancellationToken cancellationToken) => Files().AbandonAsync(_sandboxId, uploadId, cancellationToken);

    /// <inheritdoc/>
    public async Task DeleteFileAsync(DeleteFile request, CancellationToken cancellationToken)
    {
        using var limit = new CancellationTokenSource(DeleteLimit, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        try
        {
            await Files().DeleteAsync(_sandboxId, request, either.Token);
        }
        catch (OperationCanceledException) when (limit.IsCancellationRequested)
        {
            throw new CerverException(CerverError.ProviderUnavailable, "There is so much in the directory that not all of it could be removed in time. Send the same call again to go on.");
        }
    }

    /// <summary>Removes the files of a sandbox whose session has been idle for the retention or is gone.</summary>
    public async Task ReceiveReminder(string reminderName, TickStatus status)
    {
        if (!state.RecordExists)
        {
            await ForgetReminderAsync();
            return;
        }

        if (IsUpElsewhere)
        {
            await LoseIfGoneAsync();
        }

        if (!providers.IsAtHome(Ids.HostOfSandbox(_sandboxId)))
        {
            // The files are where this is not. When their machine never comes back this asks once an hour, for nothing.
            return;
        }

        // From the store and not from the session, which may be waiting for this very grain.
        var left = _sandbox is not null
            ? lifetime.Value.Retention
            : SandboxRetention.Left(
                await sessions.FindAsync(_accountId, _sessionId, CancellationToken.None), _sandboxId, state.State.DownSince, lifetime.Value.Retention, time.GetUtcNow());
        if (left > TimeSpan.Zero)
        {
            await RemindAsync(IsOnMachine && FilesPeriod < left ? FilesPeriod : left);
            return;
        }

        await ReleaseAsync(CancellationToken.None);
        LogFilesExpired(_sandboxId);
    }

    /// <inheritdoc/>
    public void Dispose() => _runs?.Dispose();

    private ISessionGrain Session() => GrainFactory.GetGrain<ISessionGrain>(SessionKey.For(_accountId, _sessionId));

    /// <summary>Whether the sandbox is on a machine of the account. It outlives this activation then, and what happens in it is delivered.</summary>
    private bool IsOnMachine => state.State.ComputeId is not null;

    /// <summary>Whether it is on a machine that has not said anything of it to this activation, and is up as far as anybody knows.</summary>
    private bool IsUpElsewhere => _sandbox is null && IsOnMachine && state.State.DownSince is null;

    /// <summary>Whether its machine may have a run that this activation has not heard of yet: when another process began to follow it, and that is gone.</summary>
    private bool MayBeOnMachine => IsUpElsewhere || (IsOnMachine && _sandbox is not null && time.GetElapsedTime(_followedAt) < MachinePatience);

    private SandboxSpec Spec => new(_sandboxId, state.State.Network) { SessionId = _sessionId };

    private MachineProvider Machine =>
        new(GrainFactory.GetGrain<IMachineGrain>(MachineKey.For(_accountId, state.State.ComputeId!)), state.State.ComputeId!, time);

    private IComputeProvider Provider() => IsOnMachine ? Machine :
        providers.Of(_sandboxId, state.State.Provider)
        ?? throw new CerverException(CerverError.ProviderUnavailable, $"This gateway has no provider '{state.State.Provider}'.");

    private ISandboxFiles Files()
    {
        if (!providers.IsAtHome(Ids.HostOfSandbox(_sandboxId)))
        {
            throw AbsentHost.Refusal();
        }

        if (!state.RecordExists)
        {
            throw new CerverException(
                CerverError.Conflict, "The session's files are gone: they were not needed for too long, or its compute was exchanged. POST …/resume brings up an empty workspace.");
        }

        return Provider().Files switch
        {
            { Obstacle: null } files => files,
            { Obstacle: { } obstacle } => throw new CerverException(CerverError.NoCompute, obstacle),
            null => throw new CerverException(CerverError.NoCompute, "The session's compute gives no access to its files from outside. Read and write them in runs."),
        };
    }

    private async Task<ISandbox> OpenAsync(CancellationToken cancellationToken)
    {
        if (!state.RecordExists)
        {
            throw new CerverException(CerverError.ProviderUnavailable, "The sandbox was released.");
        }

        if (_sandbox is { Closed.IsCompleted: false } open)
        {
            return open;
        }

        var sandbox = await Provider().OpenAsync(Spec, cancellationToken);

        // Its machine may have said meanwhile that it is up.
        return _sandbox is MachineSandbox { Closed.IsCompleted: false } known ? known : Follow(sandbox);
    }

    private TSandbox Follow<TSandbox>(TSandbox sandbox)
        where TSandbox : ISandbox
    {
        _sandbox = sandbox;
        _followedAt = time.GetTimestamp();
        _ = WatchAsync(sandbox);
        StayActive();
        _idleWatch!.Begin(this, _idleTimeout);
        return sandbox;
    }

    private void Record(FollowedRun run)
    {
        var stream = this.GetStreamProvider(RunStreams.Provider).GetStream<RunOutput>(RunStreams.For(run.Run.RunId));
        _runs!.Record(run, _sessionId, Session(), stream);
    }

    /// <summary>Takes what happened to the sandbox itself.</summary>
    private async Task<SandboxReceipt> TakeAsync(SandboxEvent what)
    {
        if (what.Kind == SandboxEventKind.Open)
        {
            if (IsUpElsewhere)
            {
                Follow(Machine.Attach(Spec));
            }

            // One that was to go down while its machine could not be reached goes down now.
            return new SandboxReceipt(RunId: null, Sequence: 0, IsOver: _sandbox is null);
        }

        if (_sandbox is MachineSandbox up)
        {
            up.Lose();
        }
        else if (state.State.DownSince is null)
        {
            await TellLostAsync(CancellationToken.None);
        }

        return new SandboxReceipt(RunId: null, Sequence: 0);
    }

    /// <summary>Takes what happened in a run. One that another process began to follow is followed from its beginning: what is recorded of it is left as it is.</summary>
    private async Task<SandboxReceipt> TakeAsync(string runId, IEnumerable<SandboxEvent> events, CancellationToken cancellationToken)
    {
        if (_sandbox is MachineSandbox known && known.Follows(runId))
        {
            var last = 0L;
            foreach (var what in events)
            {
                last = await known.TakeAsync(what);
            }

            return new SandboxReceipt(runId, last);
        }

        var run = await runs.FindAsync(_accountId, _sessionId, runId, cancellationToken);
        if (run is not { Status: RunStatus.Running } || run.SandboxId != _sandboxId)
        {
            return new SandboxReceipt(runId, Sequence: 0, IsOver: true);
        }

        var taints = await registry.OfAsync(_accountId);
        var sandbox = _sandbox as MachineSandbox ?? Follow(Machine.Attach(Spec));
        if (!sandbox.Follows(runId) && !_runs!.IsGoing(runId))
        {
            var left = SessionRules.MaxRunTimeout - (time.GetUtcNow() - run.StartedAt);
            var resumed = new SandboxRun(runId, run.Code, run.Runtime, left > TimeSpan.Zero ? left : TimeSpan.Zero, ImmutableDictionary<string, string>.Empty);
            Record(new FollowedRun(resumed, sandbox.Follow(runId), taints, static () => { }, new RecordedOutput(runs, _accountId, runId)));
            LogResumed(runId, _sandboxId);
        }

        return new SandboxReceipt(runId, Sequence: 0);
    }

    /// <summary>Gives a sandbox up whose machine cannot be reached. That is looked at once an hour, so a machine has that long to come back.</summary>
    private async Task LoseIfGoneAsync()
    {
        try
        {
            await Machine.RequireReachableAsync(CancellationToken.None);
        }
        catch (CerverException gone) when (gone.Code == CerverError.ComputeOffline)
        {
            foreach (var run in await runs.ListGoingAsync(_accountId, _sessionId, CancellationToken.None))
            {
                await Session().CompleteRunAsync(RunEnd.Lost(run.RunId, time.GetUtcNow()), CancellationToken.None);
            }

            await TellLostAsync(CancellationToken.None);
        }
    }

    private async Task TellLostAsync(CancellationToken cancellationToken)
    {
        if (IsOnMachine)
        {
            await NoteDownAsync();
        }

        await Session().SandboxLostAsync(_sandboxId, cancellationToken);
    }

    /// <summary>Ends every process of the sandbox.</summary>
    private async Task<ImmutableArray<RunEnd>> CloseAsync()
    {
        _runs!.ExpectEnd();
        if (_sandbox is { } sandbox)
        {
            _sandbox = null;
            await sandbox.DisposeAsync();
            StayActive();
            _idleWatch!.Stop();
        }

        // The session gets the ends here and will hear them once more from each run's own report, which it ignores then.
        return await _runs.EndAsync();
    }

    private TimeSpan FilesPeriod => lifetime.Value.Retention < MaxFilesPeriod ? lifetime.Value.Retention : MaxFilesPeriod;

    private Task<IGrainReminder> RemindAsync(TimeSpan after) => this.RegisterOrUpdateReminder(
        FilesReminder, after, FilesPeriod);

    private async Task ForgetReminderAsync()
    {
        if (await this.GetReminder(FilesReminder) is { } reminder)
        {
            await this.UnregisterReminder(reminder);
        }
    }

    /// <summary>Starts the process of a run that the drain counts already.</summary>
    private async Task<ISandboxProcess> StartProcessAsync(SandboxCommand command, Action over, CancellationToken cancellationToken)
    {
        using var limit = new CancellationTokenSource(StartLimit, time);
        using var start = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        ISandboxProcess? process = null;
        try
        {
            process = await (await OpenAsync(start.Token)).StartAsync(command, start.Token);
            return process;
        }
        catch (OperationCanceledException)
        {
            throw new CerverException(CerverError.ProviderUnavailable, "The sandbox took too long to start the code; nothing was run. Try again.");
        }
        finally
        {
            if (process is null)
            {
                over();
            }
        }
    }

    /// <summary>Keeps state or forgets it. After a failure this copy is in doubt: the next call starts from what is stored.</summary>
    private async Task StoreAsync(Task write)
    {
        try
        {
            await write;
        }
        catch (Exception failure) when (failure is not OperationCanceledException)
        {
            DeactivateOnIdle();
            LogStateFailed(failure, _sandboxId);
            throw new CerverException(CerverError.StorageUnavailable, "What the gateway knows of the sandbox could not be stored. Try again later.");
        }
    }

    /// <summary>
    /// Notes that the sandbox goes down, before it does: when this fails, the sandbox is up as its session says, with all that runs in it, and the
    /// next attempt starts from what is stored.
    /// </summary>
    private async Task NoteDownAsync()
    {
        var before = state.State;
        try
        {
            if (_isInDoubt)
            {
                await state.ReadStateAsync(CancellationToken.None);
                before = state.State;
            }

            _isInDoubt = true;
            state.State = before with { DownSince = time.GetUtcNow() };
            await state.WriteStateAsync(CancellationToken.None);
            _isInDoubt = false;
        }
        catch (Exception failure)
        {
            state.State = before;
            LogStateFailed(failure, _sandboxId);
            throw new CerverException(CerverError.StorageUnavailable, "That the sandbox goes down could not be stored, so it is still up. Try again later.");
        }
    }

    /// <summary>Tells the session when the sandbox goes down by itself.</summary>
    private async Task WatchAsync(ISandbox sandbox)
    {
        await sandbox.Closed;
        if (_sandbox == sandbox)
        {
            _sandbox = null;
            LogSandboxLost(_sandboxId);
            await sandbox.DisposeAsync();
            StayActive();
            _idleWatch!.Stop();
            await _runs!.TellAsync(TellLostAsync);
        }
    }

    /// <summary>The activation stays as long as its sandbox is up or there is an end to tell, and may go afterwards.</summary>
    private void StayActive() => DelayDeactivation(_sandbox is not null || _runs!.Going.Length > 0 ? Timeout.InfiniteTimeSpan : TimeSpan.Zero);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Sandbox {SandboxId} went down by itself")]
    private partial void LogSandboxLost(string sandboxId);

    [LoggerMessage(Level = LogLevel.Information, Message = "Run {RunId} in sandbox {SandboxId} is followed again, from its beginning")]
    private partial void LogResumed(string runId, string sandboxId);

    [LoggerMessage(Level = LogLevel.Information, Message = "Removed the files of sandbox {SandboxId}, whose session was idle for the retention or is gone")]
    private partial void LogFilesExpired(string sandboxId);

    [LoggerMessage(Level = LogLevel.Error, Message = "What is known of sandbox {SandboxId} could not be stored")]
    private partial void LogStateFailed(Exception failure, string sandboxId);
}
