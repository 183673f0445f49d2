using Cerver.Computes;
using Cerver.Errors;
using Microsoft.Extensions.Logging;

namespace Cerver.Grains.Computes.Relays;

/// <summary>
/// The agent that a relay which is not ours drives in one sandbox. Its opening may take minutes, and only the answer has its name: so it goes on when nobody waits any more,
/// and the sandbox is on record as up under that name before anybody uses it. Its removal is tried again until it has succeeded, as long as there is such a sandbox.
/// </summary>
/// <param name="registration">What is stored of the sandbox.</param>
/// <param name="provider">The way to the machine, as it is stored now.</param>
/// <param name="sandboxId">The sandbox.</param>
/// <param name="changed">Is told when an opening begins or is over.</param>
/// <param name="time">Measures patience.</param>
/// <param name="logger">Where trouble is told.</param>
internal sealed partial class SandboxAgent(
    SandboxRegistration registration, Func<AgentProvider> provider, string sandboxId, Action changed, TimeProvider time, ILogger logger)
{
    /// <summary>How long one caller waits.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    /// <summary>One at a time: what it comes to takes the place of the stored name, and that was removed before.</summary>
    private Task<AgentSandbox?>? _opening;

    private bool _isWanted;
    private bool _hasLeft;

    /// <summary>Whether an opening is under way.</summary>
    public bool IsOpening { get; private set; }

    /// <summary>Begins an opening, or waits for the one that is under way.</summary>
    /// <exception cref="CerverException"><see cref="CerverError.ProviderUnavailable"/> also when it takes too long for this caller.</exception>
    public async Task<ISandbox> OpenAsync(SandboxSpec spec, CancellationToken cancellationToken)
    {
        using var limit = new CancellationTokenSource(Patience, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        try
        {
            while (true)
            {
                _isWanted = true;
                var opening = IsOpening ? _opening! : _opening = BeginAsync(spec);
                opening.Ignore();
                if (await opening.WaitAsync(either.Token) is { } agent)
                {
                    return agent;
                }
            }
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new CerverException(CerverError.ProviderUnavailable, "The machine took too long to open a sandbox. Try again in a moment.");
        }
    }

    /// <summary>Nobody wants what is being opened: it is removed when it is there, unless somebody wants it again until then.</summary>
    public void GiveUp() => _isWanted = false;

    /// <summary>This activation is over, and can store nothing any more.</summary>
    public void Leave() => _hasLeft = true;

    /// <summary>Has the machine remove the agent when it is to be down. When that fails it is done with the next pause or opening, or within the hour.</summary>
    public async Task RemoveAsync()
    {
        if ((IsOpening && _isWanted) || registration is not { Exists: true, State: { RemoteId: { } remoteId, DownSince: not null } })
        {
            return;
        }

        try
        {
            await provider().Attach(remoteId).RemoveAsync(CancellationToken.None);
        }
        catch (Exception failure) when (IsOutside(failure))
        {
            LogLeft(failure, sandboxId, remoteId);
            return;
        }

        try
        {
            await registration.ChangeAsync(state => state.RemoteId == remoteId && state.DownSince is not null ? state with { RemoteId = null } : state);
        }
        catch (CerverException)
        {
            // That is in the log. The machine will be asked once more for what it does not have, which is fine.
        }
    }

    /// <summary>Opens the agent, as long as that takes.</summary>
    /// <returns>The agent, or null when it was removed because nobody wanted it any more.</returns>
    private async Task<AgentSandbox?> BeginAsync(SandboxSpec spec)
    {
        IsOpening = true;
        changed();
        try
        {
            var opened = (AgentSandbox)await provider().OpenAsync(spec, CancellationToken.None);
            await NoteUpAsync(opened);
            if (!_isWanted)
            {
                await registration.NoteDownAsync(() => !_isWanted);
                await RemoveAsync();
            }

            return registration.State.DownSince is null ? opened : null;
        }
        catch (Exception failure)
        {
            // Whoever asked for it may be gone.
            LogNotOpened(sandboxId, failure.Message);
            throw;
        }
        finally
        {
            IsOpening = false;
            if (!_hasLeft)
            {
                changed();
            }
        }
    }

    /// <summary>Stores that there is an agent, or has it removed: nobody could find it again.</summary>
    private async Task NoteUpAsync(AgentSandbox opened)
    {
        try
        {
            if (_hasLeft || !registration.Exists)
            {
                throw new CerverException(CerverError.ProviderUnavailable, "The sandbox was opened when it was not needed any more.");
            }

            await registration.ChangeAsync(state => state with { DownSince = null, RemoteId = opened.RemoteId });
        }
        catch (CerverException)
        {
            await RemoveUnknownAsync(opened);
            throw;
        }
    }

    private async Task RemoveUnknownAsync(AgentSandbox opened)
    {
        try
        {
            await opened.RemoveAsync(CancellationToken.None);
        }
        catch (Exception failure) when (IsOutside(failure))
        {
            LogForgotten(failure, opened.RemoteId, sandboxId);
        }
    }

    private static bool IsOutside(Exception failure) => failure is CerverException or OrleansException or TimeoutException;

    [LoggerMessage(Level = LogLevel.Information, Message = "Sandbox {SandboxId} was not opened on its machine: {Reason}")]
    private partial void LogNotOpened(string sandboxId, string reason);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Agent {RemoteId} of sandbox {SandboxId} could not be removed from its machine; that is tried again as long as its session is there")]
    private partial void LogLeft(Exception failure, string sandboxId, string remoteId);

    [LoggerMessage(Level = LogLevel.Error, Message = "Agent {RemoteId} of sandbox {SandboxId} could be neither stored nor removed; its machine keeps it until it times out there")]
    private partial void LogForgotten(Exception failure, string remoteId, string sandboxId);
}
