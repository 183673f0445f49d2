using Cerver.Computes;
using Cerver.Errors;
using Cerver.Runs;

namespace Cerver.Grains.Computes;

/// <summary>A place that gives sandboxes. One instance serves a whole silo; every member may be called at once from anywhere.</summary>
internal interface IComputeProvider
{
    /// <summary>The provider's word in the contract, such as <c>local</c>.</summary>
    string Name { get; }

    /// <summary>Whether its sandboxes are on the machine of the silo, so that no other silo can reach them.</summary>
    bool IsOnHost => false;

    /// <summary>The way to the files of its sandboxes, or null when it has none.</summary>
    ISandboxFiles? Files => null;

    /// <summary>Whether it can be used and what it can do, as it is now. Answers at once.</summary>
    ComputeInfo Describe();

    /// <summary>Brings up a sandbox: a new one with an empty workspace, or again one that was closed, with the files it had.</summary>
    /// <exception cref="CerverException"><see cref="CerverError.ProviderUnavailable"/>, also when it is open already; nothing is left behind then.</exception>
    Task<ISandbox> OpenAsync(SandboxSpec spec, CancellationToken cancellationToken);

    /// <summary>The sandboxes that are closed and whose files this gateway holds, in no order.</summary>
    Task<ImmutableArray<string>> ListAsync(CancellationToken cancellationToken);

    /// <summary>
    /// Takes the files of a closed sandbox out of the way: the same id begins with none, also after a crash. Takes no longer for many than for few;
    /// <see cref="EraseAsync"/> makes the room that they take free. One that does not exist is fine.
    /// </summary>
    /// <exception cref="CerverException"><see cref="CerverError.ProviderUnavailable"/> when they are where they were.</exception>
    Task SetAsideAsync(string sandboxId, CancellationToken cancellationToken);

    /// <summary>Erases what was set aside and what a removal that was cut short left. What is left when it is cancelled is erased the next time.</summary>
    /// <exception cref="CerverException"><see cref="CerverError.ProviderUnavailable"/> when something of it is left.</exception>
    Task EraseAsync(CancellationToken cancellationToken);

    /// <summary>Removes the files of a closed sandbox. One that does not exist is fine.</summary>
    /// <exception cref="CerverException">
    /// <see cref="CerverError.ProviderUnavailable"/> when something of them is left, the sandbox is open or somebody else removes them now.
    /// </exception>
    Task RemoveAsync(string sandboxId, CancellationToken cancellationToken);
}

/// <summary>What a sandbox must be like.</summary>
/// <param name="SandboxId">Its id; the same id finds the same files again.</param>
/// <param name="Network">Whether it needs the network.</param>
internal sealed record SandboxSpec(string SandboxId, bool Network)
{
    /// <summary>The session that it belongs to; empty when it belongs to none.</summary>
    public string SessionId { get; init; } = "";

    /// <summary>What a machine that drives agents is to know of the session, a JSON object, or null.</summary>
    public string? Metadata { get; init; }
}

/// <summary>A sandbox that is up. Disposing it ends every process in it and keeps its files.</summary>
internal interface ISandbox : IAsyncDisposable
{
    /// <summary>Completes when the sandbox is down, for whatever reason. Never faults.</summary>
    Task Closed { get; }

    /// <summary>Makes sure that it can be reached now. One on the gateway's own machine always can.</summary>
    /// <exception cref="CerverException"><see cref="CerverError.ComputeOffline"/> when it cannot.</exception>
    Task RequireReachableAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>Leaves it up for whoever follows it next, when it can do without this process.</summary>
    /// <returns>Whether it can; otherwise nothing has changed.</returns>
    bool Detach() => false;

    /// <summary>Starts code in its workspace. Several may run at once.</summary>
    /// <exception cref="SandboxDownException">It is down, and nothing was started.</exception>
    /// <exception cref="CerverException"><see cref="CerverError.ProviderUnavailable"/> when it cannot start it.</exception>
    Task<ISandboxProcess> StartAsync(SandboxCommand command, CancellationToken cancellationToken);
}

/// <summary>Code to execute.</summary>
/// <param name="Code">The code, at most 256 KiB of UTF-8.</param>
/// <param name="Runtime">What executes it.</param>
/// <param name="Environment">Variables beside the sandbox's own. They appear on no command line of the host.</param>
internal sealed record SandboxCommand(string Code, SandboxRuntime Runtime, ImmutableDictionary<string, string> Environment)
{
    /// <summary>The run; empty when it is none of a session.</summary>
    public string RunId { get; init; } = "";

    /// <summary>How long it may take. Whoever starts it stops it then; where that one may be away, the provider does so before (<see cref="ISandboxProcess.TimeoutPatience"/>).</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromDays(1);

    /// <summary>How much of its output will be recorded; what is beyond need not be kept for it.</summary>
    public long MaxOutputBytes { get; init; } = long.MaxValue;
}

/// <summary>Code that executes in a sandbox.</summary>
internal interface ISandboxProcess
{
    /// <summary>
    /// What it prints, in the order it arrived, as it arrives; ends when the program has ended and all it printed was read.
    /// It must be read: a program whose output is not taken waits, and others in the same sandbox with it.
    /// </summary>
    /// <exception cref="RunDetachedException">While it is read: the program goes on and is followed elsewhere.</exception>
    IAsyncEnumerable<SandboxOutput> Output { get; }

    /// <summary>The exit code, 128 + n when signal n ended the program, or null when the sandbox went down under it. Never faults.</summary>
    Task<int?> Exit { get; }

    /// <summary>Whether its provider stopped it because its time was over. Known when <see cref="Exit"/> is.</summary>
    bool TimedOut => false;

    /// <summary>How long after its time is over its provider, which stops it then, may take to say so. Zero when the provider measures no time.</summary>
    TimeSpan TimeoutPatience => TimeSpan.Zero;

    /// <summary>
    /// Asks the program and everything it started to end (SIGTERM), and ends them (SIGKILL) when <paramref name="grace"/> is over.
    /// Returns at once. Repeating it, also with a shorter grace or after the end, is fine.
    /// </summary>
    void Stop(TimeSpan grace);

    /// <summary>The run's end is on record, so nothing of it need be kept elsewhere. Returns at once.</summary>
    void Forget()
    {
    }
}

/// <summary>A piece of output.</summary>
/// <param name="Kind">Which output.</param>
/// <param name="Data">The bytes, owned by the reader.</param>
internal readonly record struct SandboxOutput(OutputKind Kind, ReadOnlyMemory<byte> Data);

/// <summary>A program goes on, and another process follows it.</summary>
internal sealed class RunDetachedException() : Exception("The program goes on, and is followed elsewhere.");
