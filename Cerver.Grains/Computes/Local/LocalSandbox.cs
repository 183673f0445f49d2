using System.Diagnostics;
using System.Net.Sockets;
using Cerver.Errors;
using Cerver.Runs;
using Microsoft.Extensions.Logging;

namespace Cerver.Grains.Computes.Local;

/// <summary>
/// A sandbox on this machine: one container process and the connection to process 1 in it. What comes over the connection is
/// taken to be hostile; a word out of turn closes the sandbox.
/// </summary>
internal sealed partial class LocalSandbox : ISandbox
{
    private static readonly TimeSpan EndPatience = TimeSpan.FromSeconds(3);

    /// <summary>128 and the signal that cannot be heard.</summary>
    private const int Killed = 137;

    private readonly string _sandboxId;
    private readonly string _workspace;
    private readonly Process _container;
    private readonly Socket _socket;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly SandboxCgroup? _cgroup;
    private readonly Dictionary<uint, LocalSandboxProcess> _processes = [];
    private readonly SemaphoreSlim _sending = new(1);
    private readonly CancellationTokenSource _closing = new();
    private readonly TaskCompletionSource _ready = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile string? _endedFor;
    private uint _lastNumber;
    private bool _down;

    /// <summary>Takes over a container and the connection to it; both end with the sandbox.</summary>
    /// <param name="sandboxId">For the log.</param>
    /// <param name="workspace">The directory of its files as programs in it see it.</param>
    /// <param name="container">The container, whose process 1 has connected.</param>
    /// <param name="time">Measures grace and patience.</param>
    /// <param name="logger">Where a broken protocol is told.</param>
    /// <param name="released">Called when the sandbox is down, before <see cref="Closed"/> completes; with false when its container would not end.</param>
    /// <param name="cgroup">The control group that it runs in, which is removed with it, or null for none.</param>
    public LocalSandbox(
        string sandboxId, string workspace, SandboxContainer container, TimeProvider time, ILogger logger, Action<bool> released, SandboxCgroup? cgroup = null)
    {
        _sandboxId = sandboxId;
        _workspace = workspace;
        _container = container.Process;
        ContainerId = _container.Id;
        _socket = container.Socket;
        _time = time;
        _logger = logger;
        _cgroup = cgroup;
        Closed = ServeAsync(released);
    }

    public Task Closed { get; }

    /// <summary>Its id.</summary>
    public string Id => _sandboxId;

    /// <summary>Completes when process 1 has said that it is there; cancelled when the sandbox went down before.</summary>
    public Task Ready => _ready.Task;

    /// <summary>The process id of the container on this machine.</summary>
    public int ContainerId { get; }

    public async Task<ISandboxProcess> StartAsync(SandboxCommand command, CancellationToken cancellationToken)
    {
        uint number;
        LocalSandboxProcess process;
        byte[] frame;
        lock (_processes)
        {
            number = ++_lastNumber;
            frame = SandboxFrames.Start(number, command.Runtime, command.Code, SandboxLaunch.Environment(_workspace, command.Environment));
            process = new LocalSandboxProcess(signal => Signal(number, signal), _time) { RefusalsBefore = _cgroup?.ProcessRefusals ?? 0 };
            if (_down)
            {
                throw new SandboxDownException();
            }

            _processes.Add(number, process);
        }

        try
        {
            await SendAsync(frame, cancellationToken);
        }
        catch (OperationCanceledException)
        {
            Forget(number);
            throw;
        }

        try
        {
            var failure = await process.Started.WaitAsync(cancellationToken);
            return failure is null ? process : throw Refuse(failure.Value);
        }
        catch (OperationCanceledException)
        {
            process.Abandon();
            throw;
        }
    }

    /// <summary>Ends it because it reached a limit.</summary>
    /// <param name="words">What its programs print last.</param>
    public async Task EndAsync(string words)
    {
        _endedFor ??= words;
        await DisposeAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await _closing.CancelAsync();
        await Closed;
    }

    private static CerverException Refuse(SandboxStartFailure failure) => new(CodeOf(failure), failure switch
    {
        SandboxStartFailure.TooMany => "Too many runs, or processes they left behind, are alive in the sandbox: end some of them.",
        SandboxStartFailure.NoRuntime => "This machine has nothing that executes this runtime.",
        SandboxStartFailure.NoProcess => "The sandbox has as many processes or open files as it may have: end some of them.",
        _ => "The sandbox is down.",
    });

    private static CerverError CodeOf(SandboxStartFailure failure) => failure switch
    {
        SandboxStartFailure.TooMany or SandboxStartFailure.NoProcess => CerverError.RateLimited,
        SandboxStartFailure.NoRuntime => CerverError.NoCompute,
        _ => CerverError.ProviderUnavailable,
    };

    private async Task ServeAsync(Action<bool> released)
    {
        // The constructor has to have returned before anything can be said about the sandbox.
        await Task.Yield();
        var exited = _container.WaitForExitAsync(CancellationToken.None);
        var receiving = ReceiveAsync(_closing.Token);
        if (await Task.WhenAny(receiving, exited) == exited && !await CompletesAsync(receiving))
        {
            await _closing.CancelAsync();
        }

        try
        {
            await receiving;
        }
        catch (InvalidDataException e)
        {
            // There is no waiting for process 1 to end by itself when it is no longer ours.
            LogBrokeProtocol(_sandboxId, e.Message);
            _container.Kill();
        }
        catch (Exception e) when (e is SocketException or OperationCanceledException)
        {
            LogConnectionEnded(_sandboxId, e);
        }

        LocalSandboxProcess[] left;
        lock (_processes)
        {
            _down = true;
            left = [.. _processes.Values];
        }

        await _closing.CancelAsync();
        _socket.Dispose();
        var ended = await EndContainerAsync(exited);
        var limit = FindLimit();
        foreach (var process in left)
        {
            process.Dispose();
            process.End(limit is null ? null : Killed, limit);
        }

        if (_cgroup is not null && !await _cgroup.RemoveAsync(_time))
        {
            LogCgroupLeft(_sandboxId, _cgroup.Path);
        }

        _ready.TrySetCanceled();
        released(ended);
    }

    private async Task ReceiveAsync(CancellationToken cancellationToken)
    {
        var reader = new SandboxFrameReader(_socket);
        while (await reader.ReadAsync(cancellationToken) is { } frame)
        {
            if (frame.Report == SandboxReport.Ready)
            {
                Require(frame.Process == 0 && frame.Payload.IsEmpty && _ready.TrySetResult(), frame);
                continue;
            }

            Require(_ready.Task.IsCompletedSuccessfully, frame);
            var process = Find(frame);
            switch (frame.Report)
            {
                case SandboxReport.Started:
                    Require(frame.Payload.IsEmpty && process.TryStart(failure: null), frame);
                    break;

                case SandboxReport.Failed:
                    Require(frame.Payload.Length == 1 && frame.Payload.Span[0] is >= 1 and <= 3, frame);
                    Require(process.TryStart((SandboxStartFailure)frame.Payload.Span[0]), frame);
                    Forget(frame.Process);
                    break;

                case SandboxReport.Stdout or SandboxReport.Stderr:
                    Require(!frame.Payload.IsEmpty && process.Started.IsCompleted, frame);
                    var kind = frame.Report == SandboxReport.Stdout ? OutputKind.Stdout : OutputKind.Stderr;
                    await process.AddOutputAsync(kind, frame.Payload, cancellationToken);
                    break;

                case SandboxReport.Exit:
                    Require(frame.Payload.Length == 1 && process.Started.IsCompleted, frame);
                    Forget(frame.Process);
                    process.End(frame.Payload.Span[0], FindLimit(process, frame.Payload.Span[0]));
                    break;

                default:
                    Require(condition: false, frame);
                    break;
            }
        }
    }

    /// <summary>Why the sandbox was ended, if it was because of a limit.</summary>
    private string? FindLimit() => _endedFor ?? _cgroup?.Explain();

    /// <summary>What limit a program may have ended for.</summary>
    private string? FindLimit(LocalSandboxProcess process, int exitCode) => exitCode switch
    {
        0 => null,
        Killed when FindLimit() is { } limit => limit,
        _ => _cgroup?.ExplainRefusals(process.RefusalsBefore),
    };

    private static void Require(bool condition, SandboxFrame frame)
    {
        if (!condition)
        {
            throw new InvalidDataException($"Frame {(byte)frame.Report} about process {frame.Process} with {frame.Payload.Length} bytes, out of turn.");
        }
    }

    private LocalSandboxProcess Find(SandboxFrame frame)
    {
        lock (_processes)
        {
            return _processes.TryGetValue(frame.Process, out var process)
                ? process
                : throw new InvalidDataException($"Frame {(byte)frame.Report} about process {frame.Process}, which does not exist.");
        }
    }

    private void Forget(uint number)
    {
        lock (_processes)
        {
            _processes.Remove(number);
        }
    }

    /// <summary>A sandbox that is down has nothing left to signal.</summary>
    private void Signal(uint number, byte signal) => _ = SignalAsync(SandboxFrames.Stop(number, signal));

    private async Task SignalAsync(byte[] frame)
    {
        try
        {
            await SendAsync(frame, CancellationToken.None);
        }
        catch (CerverException)
        {
            LogSignalTooLate(_sandboxId);
        }
    }

    /// <summary>Sends a whole frame; only the wait for its turn can be cancelled.</summary>
    private async Task SendAsync(byte[] frame, CancellationToken cancellationToken)
    {
        await _sending.WaitAsync(cancellationToken);
        try
        {
            for (var sent = 0; sent < frame.Length;)
            {
                sent += await _socket.SendAsync(frame.AsMemory(sent), SocketFlags.None, _closing.Token);
            }
        }
        catch (Exception e) when (e is SocketException or OperationCanceledException or ObjectDisposedException)
        {
            throw Refuse(SandboxStartFailure.SandboxDown);
        }
        finally
        {
            _sending.Release();
        }
    }

    /// <summary>Process 1 ends when its connection does, and the container with it; what does not is killed.</summary>
    private async Task<bool> EndContainerAsync(Task exited)
    {
        if (!await CompletesAsync(exited))
        {
            LogContainerLingered(_sandboxId, ContainerId);
            _container.Kill();
            if (!await CompletesAsync(exited))
            {
                LogContainerStuck(_sandboxId, ContainerId);
                return false;
            }
        }

        _container.Dispose();
        return true;
    }

    private async Task<bool> CompletesAsync(Task task) => await Task.WhenAny(task, Task.Delay(EndPatience, _time)) == task;

    [LoggerMessage(Level = LogLevel.Warning, Message = "Sandbox {SandboxId} broke the protocol and was closed: {Violation}")]
    private partial void LogBrokeProtocol(string sandboxId, string violation);

    [LoggerMessage(Level = LogLevel.Debug, Message = "The connection of sandbox {SandboxId} ended")]
    private partial void LogConnectionEnded(string sandboxId, Exception cause);

    [LoggerMessage(Level = LogLevel.Debug, Message = "A signal came too late for sandbox {SandboxId}")]
    private partial void LogSignalTooLate(string sandboxId);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The container of sandbox {SandboxId}, process {ProcessId}, did not end by itself and was killed")]
    private partial void LogContainerLingered(string sandboxId, int processId);

    [LoggerMessage(Level = LogLevel.Error, Message = "The control group {Path} of sandbox {SandboxId} could not be removed")]
    private partial void LogCgroupLeft(string sandboxId, string path);

    [LoggerMessage(Level = LogLevel.Error, Message = "The container of sandbox {SandboxId}, process {ProcessId}, could not be killed")]
    private partial void LogContainerStuck(string sandboxId, int processId);
}
