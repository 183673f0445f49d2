using System.Globalization;
using Cerver.Computes;
using Cerver.Errors;
using Microsoft.Extensions.Logging;
using Orleans.Runtime;

namespace Cerver.Grains.Computes.Machines;

/// <summary>What is under way to one machine: each request has an id of its own, its own time, and is answered in whatever order the machine likes.</summary>
/// <param name="computeId">Names the machine in the log.</param>
/// <param name="drain">Knows when nothing is to be waited for any more.</param>
/// <param name="lost">Is told of a channel whose front door is not there any more.</param>
/// <param name="time">The clock.</param>
/// <param name="logger">Where trouble is told.</param>
internal sealed partial class MachineRequests(string computeId, MachineDrain drain, Action<MachineChannel> lost, TimeProvider time, ILogger logger)
{
    /// <summary>Requests that wait for their answers at once.</summary>
    private const int MaxUnderWay = 256;

    /// <summary>A machine gives up on a <c>GET</c> after 55 s.</summary>
    private static readonly TimeSpan MaxReadTime = TimeSpan.FromSeconds(54);

    /// <summary>A machine gives up on anything else after 180 s.</summary>
    private static readonly TimeSpan MaxWriteTime = TimeSpan.FromSeconds(179);

    private readonly Dictionary<string, Waiting> _waiting = new(StringComparer.Ordinal);
    private long _dropped;

    /// <summary>Sends a request and waits for its answer.</summary>
    /// <exception cref="CerverException">It was not sent, not answered in time, or the channel ended.</exception>
    public async Task<MachineAnswer> MakeAsync(MachineChannel channel, MachineRequest request, CancellationToken cancellationToken)
    {
        if (drain.Stopping.IsCancellationRequested)
        {
            throw new CerverException(CerverError.ComputeOffline, "This part of the gateway is about to stop; nothing was sent to the machine. Try again in a moment.");
        }

        if (_waiting.Count >= MaxUnderWay)
        {
            throw new CerverException(
                CerverError.RateLimited,
                string.Create(CultureInfo.InvariantCulture, $"{MaxUnderWay} requests to this machine wait for their answers; wait for one of them to end."));
        }

        var limit = LimitOf(request);
        var requestId = Ids.NewRequest(time);
        var waiting = new Waiting(channel);
        _waiting.Add(requestId, waiting);
        using var over = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, drain.Stopping);
        try
        {
            _ = SendAsync(waiting, requestId, request);
            return await waiting.Answered.Task.WaitAsync(limit, time, over.Token);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw InDoubt();
        }
        catch (TimeoutException)
        {
            throw new CerverException(
                CerverError.ProviderUnavailable,
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"The machine did not answer within {limit.TotalSeconds:0.###} s. Whether the request had its effect there is not known."));
        }
        finally
        {
            _waiting.Remove(requestId);
        }
    }

    /// <summary>Passes an answer on to whoever waits for it. One that nobody waits for, or that came another way than its request, is dropped.</summary>
    public void Answer(string channelId, string requestId, MachineAnswer answer)
    {
        if (!_waiting.TryGetValue(requestId, out var waiting) || waiting.Channel.Id != channelId || !waiting.Answered.TrySetResult(answer))
        {
            LogDropped(computeId, ++_dropped);
        }
    }

    /// <summary>A channel has ended: nothing that was sent on it is answered any more.</summary>
    public void Fail(MachineChannel channel)
    {
        foreach (var waiting in _waiting.Values.Where(waiting => waiting.Channel == channel))
        {
            waiting.Answered.TrySetException(InDoubt());
        }
    }

    private static TimeSpan LimitOf(MachineRequest request)
    {
        var most = request.Method == "GET" ? MaxReadTime : MaxWriteTime;
        return request.Deadline < most ? request.Deadline : most;
    }

    private static CerverException InDoubt() => new(
        CerverError.ComputeOffline, "The connection to the machine ended before it had answered. Whether the request had its effect there is not known.");

    private async Task SendAsync(Waiting waiting, string requestId, MachineRequest request)
    {
        try
        {
            await waiting.Channel.End.SendAsync(requestId, request);
        }
        catch (CerverException refusal)
        {
            waiting.Answered.TrySetException(refusal);
        }
        catch (Exception failure) when (failure is OrleansException or TimeoutException)
        {
            LogSendFailed(failure, computeId);
            waiting.Answered.TrySetException(InDoubt());
            if (failure is ClientNotAvailableException)
            {
                lost(waiting.Channel);
            }
        }
#pragma warning disable CA1031 // A mistake of ours, for whoever waits.
        catch (Exception mistake)
#pragma warning restore CA1031
        {
            waiting.Answered.TrySetException(mistake);
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "The front door that has the channel of machine {ComputeId} could not be told of a request")]
    private partial void LogSendFailed(Exception failure, string computeId);

    [LoggerMessage(Level = LogLevel.Debug, Message = "Dropped an answer of machine {ComputeId} that nobody waits for; {Count} so far")]
    private partial void LogDropped(string computeId, long count);

    /// <summary>A request that waits for its answer.</summary>
    /// <param name="Channel">The way that it was sent.</param>
    private sealed record Waiting(MachineChannel Channel)
    {
        /// <summary>Goes on elsewhere: whoever waits takes the request out of those that are under way, which may be gone through at the moment.</summary>
        public TaskCompletionSource<MachineAnswer> Answered { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
