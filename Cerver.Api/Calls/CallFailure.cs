using Cerver.Errors;
using Orleans.Networking.Shared;
using Orleans.Runtime;
using Orleans.Runtime.Messaging;

namespace Cerver.Api.Calls;

/// <summary>What a failure says about the grain call that met it.</summary>
internal enum CallFailure
{
    /// <summary>It was carried out and refused, or it is broken: making it again would end in the same way.</summary>
    Final,

    /// <summary>It did not get as far as the grain: there is no silo, or it was the wrong one.</summary>
    NotDelivered,

    /// <summary>Another activation of the same grain wrote first; nothing was changed and the stale one is gone.</summary>
    Overtaken,

    /// <summary>The machine that it needs is not in the cluster; nothing was changed. A restart brings it back within seconds.</summary>
    HostAway,

    /// <summary>It may have been carried out, or may be on its way still.</summary>
    InDoubt,
}

/// <summary>Tells failures apart.</summary>
internal static class CallFailures
{
    /// <summary>What a failure says. The caller's own cancellation is not one.</summary>
    public static CallFailure Of(Exception failure) => failure switch
    {
        CerverException { Code: CerverError.Fenced } => CallFailure.Overtaken,
        CerverException { Code: CerverError.HostUnavailable } => CallFailure.HostAway,
        CerverException { Code: CerverError.StorageInDoubt } => CallFailure.InDoubt,

        // A kind of the rejection below, but of a call that was under way.
        SiloUnavailableException => CallFailure.InDoubt,
        TimeoutException or OperationCanceledException or OrleansLifecycleCanceledException or EnumerationAbortedException or ClientNotAvailableException
            => CallFailure.InDoubt,
        OrleansMessageRejectionException or ConnectionFailedException or SocketConnectionException or GatewayTooBusyException => CallFailure.NotDelivered,
        _ => CallFailure.Final,
    };

    /// <summary>What the log calls a failure.</summary>
    public static string NameOf(Exception failure) => failure is CerverException refusal ? refusal.Code.ToString() : failure.GetType().Name;
}
