using Cerver.Computes;
using Cerver.Errors;
using Cerver.Runs;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Cerver.Grains.Computes.Local;

/// <summary>Sandboxes on the gateway's own machine, a bubblewrap container each.</summary>
/// <remarks>
/// bubblewrap is never started as root: started so, it leaves a container that can be left. A gateway that is root gives every
/// sandbox a user id of its own, any other gateway runs them as its own user.
/// </remarks>
/// <param name="options">The settings.</param>
/// <param name="dataDirectory">The gateway's data directory.</param>
/// <param name="time">Measures grace and patience.</param>
/// <param name="logger">Where trouble is told.</param>
internal sealed partial class LocalComputeProvider(
    IOptions<LocalComputeOptions> options, string dataDirectory, TimeProvider time, ILogger<LocalComputeProvider> logger)
    : IComputeProvider, IAsyncDisposable
{
    private const string NotProbed = "The gateway has not yet tried whether this machine can give sandboxes. Try again in a moment.";

    private readonly LocalComputeOptions _options = options.Value;
    private readonly bool _isRoot = Environment.IsPrivilegedProcess;
    private readonly SandboxSpawner _spawner = new();
    private readonly SandboxUserIds _userIds = new(options.Value.FirstUserId, options.Value.UserIdCount);
    private readonly SandboxWorkspaces _workspaces = WorkspacesOf(options.Value, dataDirectory);
    private readonly LocalSandboxFiles _files = new(WorkspacesOf(options.Value, dataDirectory), options.Value, time, logger);
    private readonly SandboxWatch _watch = new(options.Value, time, logger);
    private readonly Dictionary<string, LocalSandbox?> _sandboxes = new(StringComparer.Ordinal);
    private readonly Lock _preparing = new();
    private LocalRunDirectory? _run;
    private Task _leftRemoved = Task.CompletedTask;
    private volatile CgroupTree? _cgroups;
    private volatile Findings _findings = new(NotProbed, []);
    private int _isDisposed;
    private int _foreignLogged;

    public string Name => "local";

    public bool IsOnHost => true;

    public LocalSandboxFiles Files => _files;

    ISandboxFiles IComputeProvider.Files => _files;

    public ComputeInfo Describe()
    {
        var findings = _findings;
        var cgroups = _cgroups;
        return new(
            ComputeId: "provider_local",
            Label: _options.Isolation == LocalIsolation.None ? "This machine (not isolated)" : "This machine",
            Provider: Name,
            Status: findings.Reason is null ? ComputeStatus.Ready : ComputeStatus.Unconfigured,
            Reason: findings.Reason,
            Scope: "shared",
            Kind: "host",
            Runtimes: findings.Runtimes,
            Network: _options.AllowNetwork || _options.Isolation == LocalIsolation.None)
        {
            Capabilities = new(
                ComputeFeatures.Pause | (_files.Obstacle is null ? ComputeFeatures.Files : ComputeFeatures.None),
                Memory: new(cgroups is { HoldsMemory: true } ? ComputeHold.Cgroup : ComputeHold.Watch, _options.MemoryBytes),
                Cpu: cgroups is { HoldsCpu: true } ? new(ComputeHold.Cgroup, (decimal)_options.Cpus)
                    : _options.Isolation == LocalIsolation.None ? ComputeLimit.None
                    : new(ComputeHold.Affinity, WholeCpus),
                Processes: cgroups is { HoldsProcesses: true } ? new(ComputeHold.Cgroup, _options.MaxProcesses)
                    : _options.Isolation == LocalIsolation.None ? ComputeLimit.None
                    : new(ComputeHold.Rlimit, _options.MaxProcesses),
                Disk: new(ComputeHold.Watch, _options.DiskBytes)),
        };
    }

    /// <summary>Brings up a sandbox to see whether this machine can and what executes code in it. <see cref="Describe"/> answers from what was found.</summary>
    public async Task ProbeAsync(CancellationToken cancellationToken)
    {
        _files.RemoveLeftovers();
        var reason = await LocalComputeProbe.FindMissingAsync(_options, cancellationToken);
        if (reason is null)
        {
            FindCgroups();
            reason = await TrySandboxAsync(cancellationToken);
            if (reason is not null && _cgroups is { } cgroups)
            {
                // A machine that lets groups be made and not be entered can do without.
                _cgroups = null;
                reason = await TrySandboxAsync(cancellationToken);
                if (reason is null)
                {
                    LogNoCgroups($"No sandbox comes up in a control group below {cgroups.Directory}.");
                }
            }
        }

        if (reason is not null)
        {
            _findings = new(reason, []);
            LogUnconfigured(reason);
        }
    }

    public async Task<ISandbox> OpenAsync(SandboxSpec spec, CancellationToken cancellationToken)
    {
        if (_findings.Reason is { } reason)
        {
            // A machine that has just been started finds out within a second, and is worth waiting for.
            throw new CerverException(reason == NotProbed ? CerverError.HostUnavailable : CerverError.ProviderUnavailable, reason);
        }

        if (spec.Network && !Describe().Network)
        {
            throw new CerverException(CerverError.ProviderUnavailable, "Sandboxes on this machine may not have the network: the operator has switched it off.");
        }

        try
        {
            return await OpenSandboxAsync(spec, cancellationToken);
        }
        catch (SandboxOpenException e)
        {
            LogOpenFailed(spec.SandboxId, e.Diagnostics);
            throw new CerverException(CerverError.ProviderUnavailable, "The sandbox did not come up on this machine; the gateway's log says why.");
        }
    }

    public Task<ImmutableArray<string>> ListAsync(CancellationToken cancellationToken)
    {
        string[] held;
        try
        {
            if (_workspaces.IsAnothers && Interlocked.Exchange(ref _foreignLogged, 1) == 0)
            {
                LogForeign(_options.WorkspaceRoot!);
            }

            held = [.. _workspaces.List()];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            LogListFailed(e);
            throw new CerverException(CerverError.ProviderUnavailable, "The files of the sandboxes could not be listed; the gateway's log says why.");
        }

        lock (_sandboxes)
        {
            return Task.FromResult<ImmutableArray<string>>([.. held.Where(sandboxId => !_sandboxes.ContainsKey(sandboxId))]);
        }
    }

    public Task SetAsideAsync(string sandboxId, CancellationToken cancellationToken) => RemoveAsync(sandboxId, () =>
    {
        _workspaces.SetAside(sandboxId);
        return Task.CompletedTask;
    });

    public async Task EraseAsync(CancellationToken cancellationToken)
    {
        try
        {
            await _workspaces.EraseAsync(cancellationToken);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            LogEraseFailed(e);
            throw new CerverException(CerverError.ProviderUnavailable, "Some files of sandboxes could not be removed; the gateway's log says more.");
        }
    }

    public Task RemoveAsync(string sandboxId, CancellationToken cancellationToken) =>
        RemoveAsync(sandboxId, () => _workspaces.RemoveAsync(sandboxId, cancellationToken));

    private async Task RemoveAsync(string sandboxId, Func<Task> remove)
    {
        var path = _workspaces.PathOf(sandboxId);
        Reserve(sandboxId);
        try
        {
            await remove();
            _watch.Forget(sandboxId);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            LogRemoveFailed(sandboxId, path);
            throw new CerverException(CerverError.ProviderUnavailable, "The files of the sandbox could not be removed; the gateway's log says where they are.");
        }
        finally
        {
            Release(sandboxId);
        }
    }

    /// <summary>Ends every sandbox. Their files stay. A container that knows the provider by two names does it twice.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _isDisposed, 1) != 0)
        {
            return;
        }

        LocalSandbox[] sandboxes;
        lock (_sandboxes)
        {
            sandboxes = [.. _sandboxes.Values.OfType<LocalSandbox>()];
        }

        await Task.WhenAll(sandboxes.Select(sandbox => sandbox.DisposeAsync().AsTask()));
        _watch.Dispose();
        _files.Dispose();
        _spawner.Dispose();
        _run?.Dispose();
    }

    /// <summary>Looks where limits can be kept by control groups.</summary>
    private void FindCgroups()
    {
        if (!_options.UseCgroups)
        {
            return;
        }

        var (tree, reason) = CgroupTree.Find(_options.CgroupDirectory, "/proc", Environment.ProcessId);
        _cgroups = tree;
        if (tree is null)
        {
            LogNoCgroups(reason!);
        }
        else
        {
            LogCgroups(tree.Directory, tree.HoldsMemory, tree.HoldsCpu, tree.HoldsProcesses);
        }
    }

    /// <summary>Brings a sandbox up and down again, and notes what executes code in it.</summary>
    /// <returns>Why it did not, a sentence, or null.</returns>
    private async Task<string?> TrySandboxAsync(CancellationToken cancellationToken)
    {
        string? reason = null;
        var sandboxId = Ids.NewSandbox(time);
        try
        {
            await using var sandbox = await OpenSandboxAsync(new SandboxSpec(sandboxId, Network: false), cancellationToken);
            var runtimes = await LocalComputeProbe.FindRuntimesAsync(sandbox, cancellationToken);
            _findings = new(Reason: null, runtimes);
            LogReady(runtimes);
        }
        catch (SandboxOpenException e)
        {
            LogProbeFailed(e.Diagnostics);
            reason = LocalComputeProbe.Explain(_options, _isRoot);
        }
        catch (CerverException e)
        {
            // It came up and went down again.
            LogProbeFailed(e.Message);
            reason = LocalComputeProbe.Explain(_options, _isRoot);
        }

        await RemoveProbedAsync(sandboxId, cancellationToken);
        return reason;
    }

    /// <summary>Without control groups a sandbox is kept to some processors instead of a share of their time.</summary>
    private long WholeCpus => (long)Math.Ceiling(_options.Cpus);

    private static SandboxWorkspaces WorkspacesOf(LocalComputeOptions options, string dataDirectory) => new(
        options.WorkspaceRoot ?? Path.Combine(dataDirectory, "sandboxes"), options.WorkspaceRoot is null ? null : new GatewayName(dataDirectory));

    /// <summary>Brings a sandbox up, whatever the probe found.</summary>
    /// <exception cref="SandboxOpenException">It did not come up; nothing is left behind.</exception>
    /// <exception cref="CerverException"><see cref="CerverError.ProviderUnavailable"/> when it is open already or all user ids are taken.</exception>
    private async Task<LocalSandbox> OpenSandboxAsync(SandboxSpec spec, CancellationToken cancellationToken)
    {
        using var timeout = new CancellationTokenSource(_options.OpenTimeout, time);
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellationToken);
        var workspace = _workspaces.PathOf(spec.SandboxId);
        Reserve(spec.SandboxId, _options.MaxSandboxes);
        var isNew = false;
        try
        {
            isNew = _workspaces.Create(spec.SandboxId);
            return await StartSandboxAsync(spec, workspace, deadline.Token);
        }
        catch (Exception e)
        {
            Release(spec.SandboxId);
            if (isNew)
            {
                await _workspaces.RemoveAsync(spec.SandboxId, CancellationToken.None);
            }

            // What the caller cancelled is not a failure of the sandbox; what it did not, is.
            if (e is CerverException or SandboxOpenException || cancellationToken.IsCancellationRequested)
            {
                throw;
            }

            throw new SandboxOpenException(e.ToString());
        }
    }

    /// <summary>What is left of a sandbox that was tried is in nobody's way, and found by the next sweep.</summary>
    private async Task RemoveProbedAsync(string sandboxId, CancellationToken cancellationToken)
    {
        try
        {
            await RemoveAsync(sandboxId, cancellationToken);
        }
        catch (CerverException failure)
        {
            LogProbeLeft(failure, sandboxId);
        }
    }

    private async Task<LocalSandbox> StartSandboxAsync(SandboxSpec spec, string workspace, CancellationToken cancellationToken)
    {
        var isContainer = _options.Isolation == LocalIsolation.Bubblewrap;
        var run = PrepareRun();
        await _leftRemoved;
        var cgroups = _cgroups;
        var full = await _watch.MeasureFullAsync(spec.SandboxId, workspace, cancellationToken);
        var limits = new ProcessLimits(
            _options.MaxProcesses,
            _options.MaxOpenFiles,
            full is null ? _options.MaxFileBytes : 0,
            cgroups is { HoldsMemory: true } ? null : _options.MemoryBytes,
            cgroups is { HoldsCpu: true } ? null : WholeCpus);
        long? userId = _isRoot && isContainer ? _userIds.Take(spec.SandboxId) : null;
        SandboxCgroup? cgroup = null;
        SandboxContainer container;
        try
        {
            cgroup = cgroups?.Create($"{run.Name}-{spec.SandboxId}", _options);
            var socketPath = run.NextSocketPath();
            var start = new SandboxLaunch(_options, run.Files).Start(userId, workspace, socketPath, spec.Network, cgroup?.Path, limits);
            container = await SandboxContainer.StartAsync(_spawner, start, socketPath, cancellationToken);
        }
        catch (Exception)
        {
            ReturnUserId(userId);
            await RemoveCgroupAsync(cgroup);
            throw;
        }

        var isOpen = false;
        var isDown = false;
        var sandbox = new LocalSandbox(spec.SandboxId, isContainer ? SandboxLaunch.Workspace : workspace, container, time, logger, ended =>
        {
            lock (_sandboxes)
            {
                isDown = true;
                if (isOpen)
                {
                    _sandboxes.Remove(spec.SandboxId);
                }
            }

            // As long as a process of it may live, nobody else may have its user id.
            if (ended)
            {
                ReturnUserId(userId);
            }
        }, cgroup);
        _watch.Add(sandbox, workspace, full ?? _options.DiskBytes, includesMemory: cgroups is not { HoldsMemory: true });
        try
        {
            await sandbox.Ready.WaitAsync(cancellationToken);
        }
        catch (OperationCanceledException)
        {
            await sandbox.DisposeAsync();
            cancellationToken.ThrowIfCancellationRequested();
            throw new SandboxOpenException(await container.Diagnostics);
        }

        lock (_sandboxes)
        {
            // It may already be down again.
            isOpen = !isDown;
            if (isOpen)
            {
                _sandboxes[spec.SandboxId] = sandbox;
            }
            else
            {
                _sandboxes.Remove(spec.SandboxId);
            }
        }

        return sandbox;
    }

    /// <summary>The files of this gateway, once for all sandboxes. What gateways that are gone have left is removed before.</summary>
    private LocalRunDirectory PrepareRun()
    {
        lock (_preparing)
        {
            return _run ??= LocalRunDirectory.Create(dataDirectory, RemoveLeftCgroups);
        }
    }

    private void RemoveLeftCgroups(string gateway) =>
        _leftRemoved = Task.WhenAll((_cgroups?.FindLeft(gateway, _options) ?? []).Select(RemoveCgroupAsync).Append(_leftRemoved));

    private async Task RemoveCgroupAsync(SandboxCgroup? cgroup)
    {
        if (cgroup is not null && !await cgroup.RemoveAsync(time))
        {
            LogCgroupLeft(cgroup.Path);
        }
    }

    /// <summary>Makes sure that nobody else has to do with the sandbox.</summary>
    /// <param name="sandboxId">The sandbox.</param>
    /// <param name="max">How many may be open with it.</param>
    /// <exception cref="CerverException"><see cref="CerverError.ProviderUnavailable"/> when somebody has, or too many are open.</exception>
    private void Reserve(string sandboxId, int max = int.MaxValue)
    {
        lock (_sandboxes)
        {
            if (_sandboxes.Count >= max)
            {
                throw new CerverException(CerverError.ProviderUnavailable, $"All {max} sandboxes that this machine may have at once are in use: end some sessions.");
            }

            if (!_sandboxes.TryAdd(sandboxId, value: null))
            {
                throw new CerverException(CerverError.ProviderUnavailable, "The sandbox is open, or its files are being removed. Try again in a moment.");
            }
        }
    }

    private void Release(string sandboxId)
    {
        lock (_sandboxes)
        {
            _sandboxes.Remove(sandboxId);
        }
    }

    private void ReturnUserId(long? userId)
    {
        if (userId is not null)
        {
            _userIds.Return(userId.Value);
        }
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "This machine gives sandboxes that execute {Runtimes}")]
    private partial void LogReady(ImmutableArray<SandboxRuntime> runtimes);

    [LoggerMessage(Level = LogLevel.Information, Message = "Control groups below {Directory} limit sandboxes: memory {Memory}, processors {Cpu}, processes {Processes}")]
    private partial void LogCgroups(string directory, bool memory, bool cpu, bool processes);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Limits of sandboxes are kept without control groups, so there are only whole processors and memory is measured: {Reason}")]
    private partial void LogNoCgroups(string reason);

    [LoggerMessage(Level = LogLevel.Error, Message = "The control group {Path} could not be removed")]
    private partial void LogCgroupLeft(string path);

    [LoggerMessage(Level = LogLevel.Warning, Message = "This machine gives no sandboxes: {Reason}")]
    private partial void LogUnconfigured(string reason);

    [LoggerMessage(Level = LogLevel.Warning, Message = "A first sandbox did not come up: {Diagnostics}")]
    private partial void LogProbeFailed(string diagnostics);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Sandbox {SandboxId} did not come up: {Diagnostics}")]
    private partial void LogOpenFailed(string sandboxId, string diagnostics);

    [LoggerMessage(Level = LogLevel.Error, Message = "The files of sandbox {SandboxId} could not be removed; they are in {Directory}")]
    private partial void LogRemoveFailed(string sandboxId, string directory);

    [LoggerMessage(Level = LogLevel.Warning, Message = "What the first sandbox {SandboxId} left could not be removed")]
    private partial void LogProbeLeft(CerverException failure, string sandboxId);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Another gateway used {Directory} first, so what sandboxes leave there is not looked for. Give every gateway a WorkspaceRoot of its own")]
    private partial void LogForeign(string directory);

    [LoggerMessage(Level = LogLevel.Error, Message = "Files of sandboxes that were set aside could not be erased")]
    private partial void LogEraseFailed(Exception failure);

    [LoggerMessage(Level = LogLevel.Error, Message = "The files of the sandboxes could not be listed")]
    private partial void LogListFailed(Exception failure);

    /// <summary>What the last probe found: why there can be no sandboxes, or what executes code in them.</summary>
    private sealed record Findings(string? Reason, ImmutableArray<SandboxRuntime> Runtimes);
}
