using Cerver.Errors;
using Cerver.Grains.Sessions;
using Cerver.Grains.Upkeep;
using Microsoft.Extensions.Logging;

namespace Cerver.Grains.Computes;

/// <summary>Removes the files of sandboxes that no session has: a crash or a failed release leaves some.</summary>
internal sealed partial class SandboxSweep(IEnumerable<IComputeProvider> providers, ISessionStore sessions, TimeProvider time, ILogger<SandboxSweep> logger)
    : IUpkeep
{
    /// <summary>A sandbox comes before the row that names it. One that is older than this and in no row never will be.</summary>
    private static readonly TimeSpan Age = TimeSpan.FromHours(1);

    /// <summary>Removes those that cannot be about to get a session any more.</summary>
    public Task RunAsync(CancellationToken cancellationToken) => SweepAsync(time.GetUtcNow() - Age, cancellationToken);

    /// <summary>Removes all of them, before the first request of a process that is the only one to use its providers' files.</summary>
    public Task RunAtStartAsync(CancellationToken cancellationToken) => SweepAsync(DateTimeOffset.MaxValue, cancellationToken);

    private async Task SweepAsync(DateTimeOffset before, CancellationToken cancellationToken)
    {
        foreach (var provider in providers)
        {
            var removed = 0;
            foreach (var sandboxId in await ListAsync(provider, cancellationToken))
            {
                if (Ids.TimeOfSandbox(sandboxId) < before
                    && !await sessions.HasSandboxAsync(sandboxId, cancellationToken)
                    && await RemoveAsync(provider, sandboxId, cancellationToken))
                {
                    removed++;
                }
            }

            if (removed > 0)
            {
                LogRemoved(removed, provider.Name);
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

    private async Task<bool> RemoveAsync(IComputeProvider provider, string sandboxId, CancellationToken cancellationToken)
    {
        try
        {
            await provider.RemoveAsync(sandboxId, cancellationToken);
            return true;
        }
        catch (CerverException failure)
        {
            LogRemoveFailed(failure, sandboxId);
            return false;
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Provider} could not say which sandboxes it holds; it will be asked again in an hour")]
    private partial void LogListFailed(CerverException failure, string provider);

    [LoggerMessage(Level = LogLevel.Information, Message = "Removed the files of {Count} sandboxes of {Provider} that no session has")]
    private partial void LogRemoved(int count, string provider);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The files of sandbox {SandboxId}, which no session has, could not be removed; it will be tried again in an hour")]
    private partial void LogRemoveFailed(CerverException failure, string sandboxId);
}
