using Cerver.Errors;
using Orleans.Concurrency;

namespace Cerver.Computes;

/// <summary>The front door's end of a socket on which a machine takes requests.</summary>
[Alias("cerver.machine-channel"), GrainInterfaceType("cerver.machine-channel")]
public interface IMachineChannel : IGrainObserver
{
    /// <summary>Puts a request into the queue of what is sent. Its answer comes to <see cref="IMachineGrain.AnswerAsync"/>.</summary>
    /// <exception cref="CerverException">
    /// Nothing is sent: <see cref="CerverError.PayloadTooLarge"/> when the machine would not take so much at once, <see cref="CerverError.RateLimited"/> when it does
    /// not take what was sent before, <see cref="CerverError.ComputeOffline"/> when the socket has ended.
    /// </exception>
    [Alias("send")]
    Task SendAsync(string requestId, MachineRequest request);

    /// <summary>Another channel has taken the place of this one, or the machine is not registered any more.</summary>
    [Alias("end"), OneWay]
    Task EndAsync();
}
