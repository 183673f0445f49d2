using Cerver.Grains.Upkeep;

namespace Cerver.Grains.Sessions;

/// <summary>Goes on with erasures that failed after their session was out of sight, as they do when the disk is full.</summary>
internal sealed class PurgeUpkeep(ISessionStore sessions) : IUpkeep
{
    /// <inheritdoc/>
    public Task RunAsync(CancellationToken cancellationToken) => sessions.ResumePurgesAsync(cancellationToken);
}
