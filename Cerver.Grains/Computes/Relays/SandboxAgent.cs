using Cerver.Computes;
using Cerver.Errors;
using Microsoft.Extensions.Logging;

namespace Cerver.Grains.Computes.Relays;

/// <summary>
/// The agent that a relay which is not ours drives in one sandbox. Its opening may take minutes, and only the answer has its name: so it goes on when nobody waits any more,
/// and whoever comes next waits for the same one. Its removal is tried again until it has succeeded, as long as there is such a sandbox.
/// </summary>
/// <param name="registration">What is stored of the sandbox.</param>
/// <param name="provider">The way to the machine, as it is stored now.</param>
/// <param name="sandboxId">The sandbox.</param>
/// <param name="time">Measures patience.</param>
/// <param name="logger">Where trouble is told.</param>
internal sealed partial class SandboxAgent(SandboxRegistration registration, Func<AgentProvider> provider, string sandboxId, TimeProvider time, ILogger logger)
{
    /// <summary>How long one caller waits.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private Task<ISandbox>? _opening;

    /// <summary>Begins an opening, or waits for the one that is under way.</summary>
    /// <exception cref="CerverException"><see cref="CerverError.ProviderUnavailable"/> also when it takes too long for this caller.</exception>
    public async Task<ISandbox> OpenAsync(SandboxSpec spec, CancellationToken cancellationToken)
    {
        if (_opening is { IsFaulted: true } or { IsCanceled: true })
        {
            // Nobody was there to hear of it, and by now it is old.
            _opening = null;
        }

        var opening = _opening ??= provider().OpenAsync(spec, CancellationToken.None);
        try
        {
            var opened = await opening.WaitAsync(Patience, time, cancellationToken);

            // Only now: a caller that gave up in the moment of the answer leaves it to the next one.
            _opening = _opening == opening ? null : _opening;
            return opened;
        }
        catch (TimeoutException) when (!opening.IsFaulted)
        {
            throw new CerverException(CerverError.ProviderUnavailable, "The machine took too long to open a sandbox. Try again in a moment.");
        }
    }

    /// <summary>Nobody wants what is being opened any more: what comes of it is removed.</summary>
    public void GiveUp()
    {
        if (_opening is { } opening)
        {
            _opening = null;
            _ = RemoveAsync(opening);
        }
    }

    /// <summary>Has the machine remove the agent when it is to be down. When that fails it is done with the next pause or opening, or within the hour.</summary>
    public async Task RemoveAsync()
    {
        if (registration is not { Exists: true, State: { RemoteId: { } remoteId, DownSince: not null } })
        {
            return;
        }

        try
        {
            await provider().RemoveAsync(sandboxId, CancellationToken.None);
            await registration.ChangeAsync(state => state.RemoteId == remoteId && state.DownSince is not null ? state with { RemoteId = null } : state);
        }
        catch (Exception failure) when (IsOutside(failure))
        {
            LogLeft(failure, sandboxId, remoteId);
        }
    }

    /// <summary>Removes an agent whose name could not be stored. When that fails too it is tried again as far as there is a place left for the name.</summary>
    public async Task RemoveAsync(AgentSandbox agent)
    {
        try
        {
            await agent.RemoveAsync(CancellationToken.None);
        }
        catch (Exception failure) when (IsOutside(failure))
        {
            LogLeft(failure, sandboxId, agent.RemoteId);
            if (registration.Exists)
            {
                await registration.ChangeAsync(state => state.RemoteId is null ? state with { RemoteId = agent.RemoteId, DownSince = state.DownSince ?? time.GetUtcNow() } : state);
            }
        }
    }

    private async Task RemoveAsync(Task<ISandbox> opening)
    {
        try
        {
            await RemoveAsync((AgentSandbox)await opening);
        }
        catch (Exception failure) when (IsOutside(failure))
        {
            LogNotOpened(failure, sandboxId);
        }
    }

    private static bool IsOutside(Exception failure) => failure is CerverException or OrleansException or TimeoutException;

    [LoggerMessage(Level = LogLevel.Warning, Message = "Agent {RemoteId} of sandbox {SandboxId} could not be removed from its machine; unless its session is gone that is tried again")]
    private partial void LogLeft(Exception failure, string sandboxId, string remoteId);

    [LoggerMessage(Level = LogLevel.Debug, Message = "Nothing came of an opening of sandbox {SandboxId} that nobody wanted any more")]
    private partial void LogNotOpened(Exception failure, string sandboxId);
}
