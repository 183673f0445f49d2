using Cerver.Api.Accounts;
using Cerver.Api.Errors;

namespace Cerver.Api.Calls;

/// <summary>
/// Lets requests of a front door wait while it knows no silo: right after its start, and when all silos were away. Without one the client does not even know which
/// grains there are, and refuses to name them.
/// </summary>
internal sealed class ClusterGate(IClusterClient cluster, TimeProvider time)
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(100);

    /// <summary>Passes a request on when a silo is known, and refuses it with 503 when none is after <see cref="GrainCalls.Limit"/>.</summary>
    public async Task PassAsync(HttpContext context, RequestDelegate next)
    {
        var began = time.GetTimestamp();
        while (!IsOpen())
        {
            if (time.GetElapsedTime(began) > GrainCalls.Limit)
            {
                await Refusals.WriteAsync(context, Refusals.Unavailable);
                return;
            }

            await Task.Delay(Interval, time, context.RequestAborted);
        }

        await next(context);
    }

    private bool IsOpen()
    {
        try
        {
            _ = Caller.Recall(cluster);
            return true;
        }
        catch (ArgumentException)
        {
            // What the client says of a grain that no silo it knows has.
            return false;
        }
    }
}
