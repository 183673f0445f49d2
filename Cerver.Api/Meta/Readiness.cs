using Cerver.Api.Accounts;
using Cerver.Errors;
using Microsoft.Extensions.Hosting;

namespace Cerver.Api.Meta;

/// <summary>Knows whether calls can be served now: the gateway is not about to stop, and silo and database answer.</summary>
internal sealed class Readiness(IClusterClient cluster, IHostApplicationLifetime lifetime, TimeProvider time)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    /// <summary>What stands in the way, a sentence, or null when nothing does. Takes at most 2 s.</summary>
    public async Task<string?> FindObstacleAsync(CancellationToken cancellationToken)
    {
        if (lifetime.ApplicationStopping.IsCancellationRequested)
        {
            return "The gateway is about to stop.";
        }

        try
        {
            await Caller.Recall(cluster).PingAsync(cancellationToken).WaitAsync(Patience, time, cancellationToken);
            return null;
        }
        catch (CerverException refusal)
        {
            return refusal.Message;
        }
        catch (TimeoutException)
        {
            return "The database did not answer in time.";
        }
        catch (Exception) when (!cancellationToken.IsCancellationRequested)
        {
            // Whatever it is, it stands in the way; the log of whoever failed has the rest.
            return "The silo cannot be reached.";
        }
    }
}
