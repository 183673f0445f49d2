using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Text;
using System.Threading.Channels;
using Cerver.Computes;
using Cerver.Errors;
using Cerver.Grains.Computes;
using Cerver.Runs;

namespace Cerver.Tests.Computes;

/// <summary>A compute provider whose programs do what the test says, when it says it.</summary>
internal sealed class ScriptedProvider : IComputeProvider
{
    private readonly ConcurrentDictionary<string, ScriptedSandbox> _sandboxes = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, TaskCompletionSource> _removals = new(StringComparer.Ordinal);

    public string Name => "scripted";

    public bool IsOnHost { get; init; }

    public ISandboxFiles? Files { get; set; }

    /// <summary>The sandboxes that were ever opened here.</summary>
    public IEnumerable<string> Opened => _sandboxes.Keys;

    /// <summary>Why no sandbox can be opened, or null.</summary>
    public string? Refusal { get; set; }

    /// <summary>Sandboxes that were refused.</summary>
    public ConcurrentBag<string> Refused { get; } = [];

    public ConcurrentBag<string> Removed { get; } = [];

    /// <summary>Sandboxes whose files were set aside and not erased yet.</summary>
    public ConcurrentBag<string> Aside { get; } = [];

    /// <summary>What a sandbox that is brought up waits for.</summary>
    public Func<CancellationToken, Task>? Opening { get; set; }

    /// <summary>What a sandbox that is taken down waits for, beside its programs.</summary>
    public Func<string, Task>? Closing { get; set; }

    /// <summary>What the erasure of what was set aside waits for.</summary>
    public Func<CancellationToken, Task>? Erasing { get; set; }

    /// <summary>Sandboxes that the provider says it holds the files of.</summary>
    public ConcurrentDictionary<string, bool> Held { get; } = new(StringComparer.Ordinal);

    public ComputeInfo Describe() => new(
        "provider_scripted", "Scripted", Name, ComputeStatus.Ready, Reason: null, "shared", "test", [SandboxRuntime.Shell, SandboxRuntime.Python], Network: false);

    public async Task<ISandbox> OpenAsync(SandboxSpec spec, CancellationToken cancellationToken)
    {
        if (Opening is { } opening)
        {
            await opening(cancellationToken);
        }

        if (Refusal is not null)
        {
            Refused.Add(spec.SandboxId);
            throw new CerverException(CerverError.ProviderUnavailable, Refusal);
        }

        var sandbox = new ScriptedSandbox(spec.SandboxId, this);
        _sandboxes[spec.SandboxId] = sandbox;
        return sandbox;
    }

    public Task<ImmutableArray<string>> ListAsync(CancellationToken cancellationToken) => Task.FromResult<ImmutableArray<string>>([.. Held.Keys]);

    public Task SetAsideAsync(string sandboxId, CancellationToken cancellationToken)
    {
        if (Held.TryRemove(sandboxId, out _))
        {
            Aside.Add(sandboxId);
        }

        return Task.CompletedTask;
    }

    public async Task EraseAsync(CancellationToken cancellationToken)
    {
        if (Erasing is { } erasing)
        {
            await erasing(cancellationToken);
        }

        while (Aside.TryTake(out var sandboxId))
        {
            Removed.Add(sandboxId);
        }
    }

    public Task RemoveAsync(string sandboxId, CancellationToken cancellationToken)
    {
        Removed.Add(sandboxId);
        Held.TryRemove(sandboxId, out _);
        Removal(sandboxId).TrySetResult();
        return Task.CompletedTask;
    }

    /// <summary>Completes when the files of a sandbox have been removed.</summary>
    public Task RemovedAsync(string sandboxId) => Removal(sandboxId).Task.WaitAsync(TimeSpan.FromSeconds(30));

    /// <summary>The sandbox as it was last opened.</summary>
    public ScriptedSandbox Sandbox(string sandboxId) => _sandboxes[sandboxId];

    private TaskCompletionSource Removal(string sandboxId) =>
        _removals.GetOrAdd(sandboxId, static _ => new(TaskCreationOptions.RunContinuationsAsynchronously));
}

/// <summary>A sandbox whose programs wait for the test.</summary>
internal sealed class ScriptedSandbox(string sandboxId, ScriptedProvider provider) : ISandbox
{
    private readonly TaskCompletionSource _closed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Channel<ScriptedProcess> _started = Channel.CreateUnbounded<ScriptedProcess>();
    private readonly ConcurrentBag<ScriptedProcess> _all = [];

    public Task Closed => _closed.Task;

    /// <summary>Why no program can be started, or null.</summary>
    public CerverException? Refusal { get; set; }

    public Task<ISandboxProcess> StartAsync(SandboxCommand command, CancellationToken cancellationToken)
    {
        if (Refusal is not null)
        {
            throw Refusal;
        }

        var process = new ScriptedProcess(command);
        _all.Add(process);
        _started.Writer.TryWrite(process);
        return Task.FromResult<ISandboxProcess>(process);
    }

    /// <summary>The next program that was started.</summary>
    public ValueTask<ScriptedProcess> NextAsync() => _started.Reader.ReadAsync();

    /// <summary>Goes down with everything in it.</summary>
    public void Die()
    {
        foreach (var process in _all)
        {
            process.End(exitCode: null);
        }

        _closed.TrySetResult();
    }

    public async ValueTask DisposeAsync()
    {
        Die();
        if (provider.Closing is { } closing)
        {
            await closing(sandboxId);
        }
    }
}

/// <summary>A program that prints and ends when the test says so.</summary>
internal sealed class ScriptedProcess(SandboxCommand command) : ISandboxProcess
{
    private readonly Channel<SandboxOutput> _output = Channel.CreateUnbounded<SandboxOutput>();
    private readonly TaskCompletionSource<int?> _exit = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _stopped = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public SandboxCommand Command { get; } = command;

    public IAsyncEnumerable<SandboxOutput> Output => _output.Reader.ReadAllAsync();

    public Task<int?> Exit => _exit.Task;

    public bool TimedOut { get; set; }

    public TimeSpan TimeoutPatience { get; set; }

    /// <summary>Whether it ends when somebody asks it to stop.</summary>
    public bool EndsWhenStopped { get; set; } = true;

    /// <summary>Completes when somebody asks it to stop.</summary>
    public Task Stopped => _stopped.Task;

    public void Stop(TimeSpan grace)
    {
        _stopped.TrySetResult();
        if (EndsWhenStopped)
        {
            End(exitCode: 143);
        }
    }

    public void Print(string text, OutputKind kind = OutputKind.Stdout) => Print(Encoding.UTF8.GetBytes(text), kind);

    public void Print(byte[] data, OutputKind kind = OutputKind.Stdout) => _output.Writer.TryWrite(new SandboxOutput(kind, data));

    public void End(int? exitCode)
    {
        _output.Writer.TryComplete();
        _exit.TrySetResult(exitCode);
    }
}
