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
internal sealed partial class ComputeGrain : Grain, IComputeGrain, IRemindable, IIncomingGrainCallFilter, IDisposable
{
    /// <summary>The ADO.NET provider that keeps the state of grains.</summary>
    public const string StorageName = "grains";

    private static readonly TimeSpan WaitLimit = TimeSpan.FromSeconds(1);

    /// <summary>Well below the time after which Orleans gives up on a call, so that a start which was given up has not begun.</summary>
    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(20);

    /// <summary>A run cannot start while files are removed, and its start is waited for a little longer.</summary>
    private static readonly TimeSpan DeleteLimit = TimeSpan.FromSeconds(15);

    /// <summary>The session suspends this sandbox before it answers. When this activation ends meanwhile they would wait for each other.</summary>
    private static readonly TimeSpan IdleAnswerLimit = TimeSpan.FromSeconds(10);

    /// <summary>Machines say every ten seconds which runs they have. One that has not been heard of for so long since its sandbox was is not there.</summary>
    private static readonly TimeSpan MachinePatience = TimeSpan.FromSeconds(30);

    private readonly SandboxDrain _drain;
    private readonly IRunStore _store;
    private readonly TaintRegistry _registry;
    private readonly ISessionStore _sessions;
    private readonly long _maxOutputBytes;
    private readonly SandboxLifetimeOptions _lifetime;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly string _accountId;
    private readonly string _sandboxId;
    private readonly SandboxRegistration _registration;
    private readonly SandboxSite _site;
    private readonly SandboxRuns _runs;
    private readonly HeldSandbox _held;
    private readonly MachineNews _news;

    public ComputeGrain(
        [PersistentState("compute", StorageName)] IPersistentState<ComputeState> state,
        HostProviders providers,
        IGrainFactory grains,
        SandboxDrain drain,
        IRunStore runs,
        TaintRegistry registry,
        ISessionStore sessions,
        IOptions<SessionLimits> limits,
        IOptions<SandboxLifetimeOptions> lifetime,
        TimeProvider time,
        ILogger<ComputeGrain> logger)
    {
        (_drain, _store, _registry, _sessions, _time, _logger) = (drain, runs, registry, sessions, time, logger);
        (_maxOutputBytes, _lifetime) = (limits.Value.MaxOutputBytes, lifetime.Value);
        (_accountId, _sandboxId) = SandboxKey.Parse(this.GetPrimaryKeyString());
        _registration = new(state, this, DeactivateOnIdle, _sandboxId, _lifetime.Retention, time, logger);
        _site = new(_registration, providers, grains, _accountId, _sandboxId, NoteOpening, time, logger);
        _runs = new(runs, _sandboxId, _maxOutputBytes, StayActive, time, logger);
        _held = new(this, new SandboxIdleWatch(AskIdleAsync, () => _held!.Current is not null, _sandboxId, logger), StayActive, LoseAsync, time) { IdleTimeout = _lifetime.IdleTimeout };
        _news = new(_sandboxId, _accountId, _site, _registration, _held, runs, registry, Record, _runs.IsGoing, TellLostAsync, logger);
    }

    /// <inheritdoc/>
    public override Task OnActivateAsync(CancellationToken cancellationToken)
    {
        // The relay of an agent says nothing of it by itself.
        if (_registration.State.IsOfAgents)
        {
            HoldAgain();
        }

        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public override async Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken)
    {
        await _runs.StopTellingAsync();
        _site.Agent.Leave();
        if (_held.Release() is { } sandbox && !sandbox.Detach())
        {
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
            if (!_site.IsAtHome)
            {
                DeactivateOnIdle();
            }
        }
    }

    /// <inheritdoc/>
    public async Task AttachAsync(AttachSandbox request, CancellationToken cancellationToken)
    {
        _held.IdleTimeout = request.Requirements.IdleTimeout ?? _lifetime.IdleTimeout;
        var wanted = new ComputeState
        {
            SessionId = request.SessionId,
            Provider = request.Provider,
            Network = request.Requirements.Network,
            ComputeId = request.ComputeId,
        };
        _site.Metadata = request.Metadata;
        var isKnown = _registration.Exists && _registration.State.Is(wanted);
        if (request.ComputeId is { } computeId)
        {
            // While it is down its machine may have got another relay.
            wanted = wanted with { IsOfAgents = isKnown && _site.IsUpOnMachine ? _registration.State.IsOfAgents : await _site.DrivesAgentsAsync(computeId, cancellationToken) };
        }

        if (!isKnown || _registration.State.IsOfAgents != wanted.IsOfAgents)
        {
            await _registration.RegisterAsync(wanted, cancellationToken);
        }

        if (!_site.IsOnMachine)
        {
            _drain.RequireStaying();
        }

        await (await OpenAsync(cancellationToken)).RequireReachableAsync(cancellationToken);
    }

    /// <inheritdoc/>
    public Task<bool> IsUpAsync(CancellationToken cancellationToken) => Task.FromResult(_held.Current is null ? _site.IsUpOnMachine : _held.IsUp);

    /// <inheritdoc/>
    public async Task StartAsync(SandboxRun run, CancellationToken cancellationToken)
    {
        if (_runs.IsGoing(run.RunId))
        {
            return;
        }

        var taints = await _registry.OfAsync(_accountId);
        Action over = _site.IsOnMachine ? static () => { } : _drain.Ended;
        if (!_site.IsOnMachine)
        {
            _drain.Begin();
        }

        var command = new SandboxCommand(run.Code, run.Runtime, SandboxEnvironment.Of(run))
        {
            RunId = run.RunId,
            Timeout = run.Timeout,
            MaxOutputBytes = _maxOutputBytes + 1,
        };
        Record(new FollowedRun(run, await StartProcessAsync(command, over, cancellationToken), taints, over));
    }

    /// <inheritdoc/>
    public async Task<string?> TellAgentAsync(TellAgent request, CancellationToken cancellationToken)
    {
        if (!_registration.State.IsOfAgents)
        {
            return null;
        }

        var input = new AgentInput(request.Text, PreLogged: true, SessionId, request.CliSessionId, request.CliTool, request.WorkingDirectory);
        return await InSandboxAsync(sandbox => ((AgentSandbox)sandbox).TellAsync(input, cancellationToken), cancellationToken);
    }

    /// <inheritdoc/>
    public Task<ImmutableArray<SandboxReceipt>> DeliverAsync(string computeId, ImmutableArray<SandboxEvent> events, CancellationToken cancellationToken)
    {
        if (!_registration.Exists)
        {
            // A machine can make names up, and each of them would be in memory.
            DeactivateOnIdle();
        }

        return _news.TakeAsync(computeId, events, cancellationToken);
    }

    /// <inheritdoc/>
    public async Task<RunHead> WaitAsync(string runId, TimeSpan atMost, CancellationToken cancellationToken)
    {
        var limit = atMost < WaitLimit ? atMost : WaitLimit;
        if (await _runs.WaitAsync(runId, limit, cancellationToken) is { } head)
        {
            return head;
        }

        var run = await _store.FindAsync(_accountId, SessionId, runId, cancellationToken)
            ?? throw new CerverException(CerverError.NotFound, "There is no such run in this sandbox.");
        if (run.Status == RunStatus.Running)
        {
            // It is about to start here, or whoever was to record its end is gone.
            await Task.Delay(limit, _time, cancellationToken);
            if (_time.GetUtcNow() - run.StartedAt > GoingRuns.LostAge && !_runs.IsGoing(runId) && !MayBeOnMachine)
            {
                // Not waited for: the session may be waiting for this very activation. Whoever looks again finds out.
                Session().CompleteRunAsync(RunEnd.Lost(runId, _time.GetUtcNow()), CancellationToken.None).Ignore();
            }
        }

        return new RunHead(run.OutputHead, Closed: run.Status != RunStatus.Running);
    }

    /// <inheritdoc/>
    public Task<bool> CancelAsync(string runId, CancellationToken cancellationToken) => Task.FromResult(_runs.Cancel(runId));

    /// <inheritdoc/>
    public async Task<ImmutableArray<RunEnd>> SuspendAsync(CancellationToken cancellationToken)
    {
        _site.Agent.GiveUp();
        HoldAgain();
        if (_held.Current is not null)
        {
            await _registration.NoteDownAsync(static () => true);
        }

        var ended = await CloseAsync();
        await _site.Agent.RemoveAsync();
        return ended;
    }

    /// <inheritdoc/>
    public async Task<ImmutableArray<RunEnd>> ReleaseAsync(CancellationToken cancellationToken)
    {
        _site.Agent.GiveUp();
        var ended = await CloseAsync();
        if (_registration.Exists)
        {
            await _site.Provider.RemoveAsync(_sandboxId, cancellationToken);
        }

        await _registration.ForgetAsync(cancellationToken);
        return ended;
    }

    /// <inheritdoc/>
    public Task<FileListing> ListFilesAsync(ListFiles request, CancellationToken cancellationToken) => _site.Files.ListAsync(_sandboxId, request, cancellationToken);

    /// <inheritdoc/>
    public Task<FilePart> ReadFileAsync(ReadFile request, CancellationToken cancellationToken) => _site.Files.ReadAsync(_sandboxId, request, cancellationToken);

    /// <inheritdoc/>
    public Task BeginFileAsync(BeginFile request, CancellationToken cancellationToken) => _site.Files.BeginAsync(_sandboxId, request, cancellationToken);

    /// <inheritdoc/>
    public Task WriteFileAsync(WriteFile part, CancellationToken cancellationToken) => _site.Files.WriteAsync(_sandboxId, part, cancellationToken);

    /// <inheritdoc/>
    public Task<FilePlaced> PlaceFileAsync(PlaceFile request, CancellationToken cancellationToken) => _site.Files.PlaceAsync(_sandboxId, request, cancellationToken);

    /// <inheritdoc/>
    public Task AbandonFileAsync(string uploadId, CancellationToken cancellationToken) => _site.Files.AbandonAsync(_sandboxId, uploadId, cancellationToken);

    /// <inheritdoc/>
    public async Task DeleteFileAsync(DeleteFile request, CancellationToken cancellationToken)
    {
        using var limit = new CancellationTokenSource(DeleteLimit, _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        try
        {
            await _site.Files.DeleteAsync(_sandboxId, request, either.Token);
        }
        catch (OperationCanceledException) when (limit.IsCancellationRequested)
        {
            throw new CerverException(CerverError.ProviderUnavailable, "There is so much in the directory that not all of it could be removed in time. Send the same call again to go on.");
        }
    }

    /// <summary>Removes the files of a sandbox whose session has been idle for the retention or is gone.</summary>
    public async Task ReceiveReminder(string reminderName, TickStatus status)
    {
        if (!_registration.Exists)
        {
            await _registration.ForgetReminderAsync();
            return;
        }

        if (_held.Current is null && _site.IsUpOnMachine && !await LoseIfGoneAsync())
        {
            HoldAgain();
        }

        await _site.Agent.RemoveAsync();

        if (!_site.IsAtHome)
        {
            // The files are where this is not. When their machine never comes back this asks once an hour, for nothing.
            return;
        }

        // From the store and not from the session, which may be waiting for this very grain.
        var left = _held.Current is not null
            ? _lifetime.Retention
            : SandboxRetention.Left(
                await _sessions.FindAsync(_accountId, SessionId, CancellationToken.None), _sandboxId, _registration.State.DownSince, _lifetime.Retention, _time.GetUtcNow());
        if (left > TimeSpan.Zero)
        {
            await _registration.RemindAsync(_site.IsOnMachine && _registration.Period < left ? _registration.Period : left);
            return;
        }

        await ReleaseAsync(CancellationToken.None);
        LogFilesExpired(_sandboxId);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _runs.Dispose();
        _registration.Dispose();
    }

    private string SessionId => _registration.State.SessionId;

    /// <summary>Whether its machine may have a run that this activation has not heard of yet: when another process began to follow it, and that is gone.</summary>
    private bool MayBeOnMachine => _site.IsUpOnMachine && (_held.Current is null || _held.Age < MachinePatience);

    private ISessionGrain Session() => GrainFactory.GetGrain<ISessionGrain>(SessionKey.For(_accountId, SessionId));

    private Task<TimeSpan> AskIdleAsync(CancellationToken cancellationToken) =>
        Session().CheckIdleAsync(_sandboxId, _runs.Going, cancellationToken).WaitAsync(IdleAnswerLimit, _time, cancellationToken);

    private async Task<ISandbox> OpenAsync(CancellationToken cancellationToken)
    {
        if (!_registration.Exists)
        {
            throw new CerverException(CerverError.ProviderUnavailable, "The sandbox was released.");
        }

        if (!_held.IsUp)
        {
            var sandbox = await _site.OpenAsync(cancellationToken);
            if (!_held.IsUp)
            {
                _held.Hold(sandbox);
            }
        }

        var up = _held.Current!;
        if (_site.IsOnMachine)
        {
            // Word that it was down may have come late, and has nothing to do with this.
            await _registration.ChangeAsync(static state => state with { DownSince = null });
        }

        return up;
    }

    /// <summary>Holds a sandbox on a machine that another activation brought up, and asks nobody for it.</summary>
    private void HoldAgain()
    {
        if (_held.Current is null && _site.IsUpOnMachine && _site.Reattach() is { } up)
        {
            _held.Hold(up);
        }
    }

    /// <summary>What took minutes to come up is held though nobody may have waited for it: it goes down again when its session is idle.</summary>
    private void NoteOpening()
    {
        if (!_site.Agent.IsOpening)
        {
            HoldAgain();
        }

        StayActive();
    }

    private void Record(FollowedRun run)
    {
        var stream = this.GetStreamProvider(RunStreams.Provider).GetStream<RunOutput>(RunStreams.For(run.Run.RunId));
        _runs.Record(run, SessionId, Session(), stream);
    }

    /// <summary>Gives a sandbox up whose machine cannot be reached. That is looked at once an hour, so a machine has that long to come back.</summary>
    /// <returns>Whether it did.</returns>
    private async Task<bool> LoseIfGoneAsync()
    {
        try
        {
            await _site.Machine.RequireReachableAsync(CancellationToken.None);
            return false;
        }
        catch (CerverException gone) when (gone.Code == CerverError.ComputeOffline)
        {
            // Not waited for: the session may be waiting for this very activation.
            _ = _runs.TellAsync(LoseRunsAsync);
            return true;
        }
    }

    /// <summary>Closes the runs of a sandbox that is given up, unless its machine has come back since.</summary>
    private async Task LoseRunsAsync(CancellationToken cancellationToken)
    {
        foreach (var run in await _store.ListGoingAsync(_accountId, SessionId, cancellationToken))
        {
            if (_held.Current is not null)
            {
                return;
            }

            if (run.SandboxId == _sandboxId)
            {
                await Session().CompleteRunAsync(RunEnd.Lost(run.RunId, _time.GetUtcNow()), cancellationToken);
            }
        }

        if (_held.Current is null)
        {
            await TellLostAsync();
        }
    }

    /// <summary>The sandbox that was up here went down by itself.</summary>
    private Task LoseAsync()
    {
        LogSandboxLost(_sandboxId);
        return _runs.TellAsync(_ => TellLostAsync());
    }

    private async Task TellLostAsync()
    {
        if (_site.IsOnMachine)
        {
            await _registration.NoteDownAsync(() => _held.Current is null);
        }

        await Session().SandboxLostAsync(_sandboxId, CancellationToken.None);
    }

    /// <summary>Ends every process of the sandbox.</summary>
    private async Task<ImmutableArray<RunEnd>> CloseAsync()
    {
        _runs.ExpectEnd();
        await _held.CloseAsync();

        // The session gets the ends here and will hear them once more from each run's own report, which it ignores then.
        return await _runs.EndAsync();
    }

    /// <summary>Starts the process of a run that the drain counts already.</summary>
    private async Task<ISandboxProcess> StartProcessAsync(SandboxCommand command, Action over, CancellationToken cancellationToken)
    {
        using var limit = new CancellationTokenSource(StartLimit, _time);
        using var start = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        ISandboxProcess? process = null;
        try
        {
            process = await InSandboxAsync(sandbox => sandbox.StartAsync(command, start.Token), start.Token);
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

    /// <summary>Does something in the sandbox, which is brought up again when it went down a moment ago, on a machine that has not said so yet.</summary>
    private async Task<T> InSandboxAsync<T>(Func<ISandbox, Task<T>> act, CancellationToken cancellationToken)
    {
        for (var isLast = false; ; isLast = true)
        {
            try
            {
                return await act(await OpenAsync(cancellationToken));
            }
            catch (SandboxDownException) when (!isLast)
            {
                await _registration.NoteDownAsync(() => !_held.IsUp);
            }
            catch (SandboxDownException down)
            {
                throw new CerverException(CerverError.ProviderUnavailable, $"{down.Message} Nothing was done; try again.");
            }
        }
    }

    /// <summary>The activation stays as long as its sandbox is up, is being opened for minutes, or there is an end to tell, and may go afterwards.</summary>
    private void StayActive() =>
        DelayDeactivation(_held.Current is not null || _site.Agent.IsOpening || _runs.Going.Length > 0 ? Timeout.InfiniteTimeSpan : TimeSpan.Zero);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Sandbox {SandboxId} went down by itself")]
    private partial void LogSandboxLost(string sandboxId);

    [LoggerMessage(Level = LogLevel.Information, Message = "Removed the files of sandbox {SandboxId}, whose session was idle for the retention or is gone")]
    private partial void LogFilesExpired(string sandboxId);
}
