using Cerver.Errors;
using Cerver.Grains.Sessions;
using Microsoft.Extensions.Logging;

namespace Cerver.Grains.Computes;

/// <summary>Removes the files of sandboxes that no session has: a crash or a failed release leaves some.</summary>
internal sealed partial class SandboxSweep(IEnumerable<IComputeProvider> providers, ISessionStore sessions, TimeProvider time, ILogger<SandboxSweep> logger)
{
    /// <summary>A sandbox comes before the row that names it. One that is older than this and in no row never will be.</summary>
    public static readonly TimeSpan Age = TimeSpan.FromHours(1);

    /// <summary>Removes those of some providers that cannot be about to get a session any more, and what was left of others.</summary>
    public async Task RunAsync(ImmutableArray<IComputeProvider> some, CancellationToken cancellationToken)
    {
        await SweepAsync(some, time.GetUtcNow() - Age, cancellationToken);
        await EraseAsync(some, cancellationToken);
    }

    /// <summary>
    /// Takes them out of the way when a process starts. Erasing them, which takes the longer the more there are, is left to
    /// <see cref="EraseAsync(CancellationToken)"/>.
    /// </summary>
    /// <param name="before">Those made before. Without a limit only when nobody can be about to get a sandbox yet.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public Task RunAtStartAsync(DateTimeOffset before, CancellationToken cancellationToken) => SweepAsync(providers, before, cancellationToken);

    /// <summary>Erases what was taken out of the way. What is left when it is cancelled is erased within the hour or at the next start.</summary>
    public Task EraseAsync(CancellationToken cancellationToken) => EraseAsync(providers, cancellationToken);

    private async Task EraseAsync(IEnumerable<IComputeProvider> some, CancellationToken cancellationToken)
    {
        foreach (var provider in some)
        {
            try
            {
                await provider.EraseAsync(cancellationToken);
            }
            catch (CerverException failure)
            {
                LogEraseFailed(failure, provider.Name);
            }
        }
    }

    private async Task SweepAsync(IEnumerable<IComputeProvider> some, DateTimeOffset before, CancellationToken cancellationToken)
    {
        foreach (var provider in some)
        {
            var count = 0;
            foreach (var sandboxId in await ListAsync(provider, cancellationToken))
            {
                if (Ids.TimeOfSandbox(sandboxId) < before
                    && !await sessions.HasSandboxAsync(sandboxId, cancellationToken)
                    && await SetAsideAsync(provider, sandboxId, cancellationToken))
                {
                    count++;
                }
            }

            if (count > 0)
            {
                LogSetAside(count, provider.Name);
            }
        }
    }

    /// <summary>A provider that cannot say what it holds keeps nobody from working.</summary>
    private async Task<ImmutableArray<string>> ListAsync(IComputeProvider provider, CancellationToken cancellationToken)
    {
        try
        {
            return await provider.ListAsync(cancellationToken);
        }
        catch (CerverException failure)
        {
            LogListFailed(failure, provider.Name);
            return [];
        }
    }

    private async Task<bool> SetAsideAsync(IComputeProvider provider, string sandboxId, CancellationToken cancellationToken)
    {
        try
        {
            await provider.SetAsideAsync(sandboxId, cancellationToken);
            return true;
        }
        catch (CerverException failure)
        {
            LogSetAsideFailed(failure, sandboxId);
            return false;
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Provider} could not say which sandboxes it holds; it will be asked again in an hour")]
    private partial void LogListFailed(CerverException failure, string provider);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Provider} could not erase all files of sandboxes that no session has; it will be tried again in an hour")]
    private partial void LogEraseFailed(CerverException failure, string provider);

    [LoggerMessage(Level = LogLevel.Information, Message = "Set the files of {Count} sandboxes of {Provider} aside that no session has; they are erased next")]
    private partial void LogSetAside(int count, string provider);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The files of sandbox {SandboxId}, which no session has, could not be removed; it will be tried again in an hour")]
    private partial void LogSetAsideFailed(CerverException failure, string sandboxId);
}
