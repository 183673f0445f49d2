namespace Cerver.Errors;

/// <summary>Why a call was refused. Each value is one word of the HTTP contract.</summary>
[GenerateSerializer, Alias("cerver.error")]
public enum CerverError
{
    /// <summary>A field has a value that is not allowed; <see cref="CerverException.Field"/> names it.</summary>
    InvalidRequest = 1,

    /// <summary>No such object in the caller's account.</summary>
    NotFound = 2,

    /// <summary>The object is not in the state that the call needs.</summary>
    Conflict = 3,

    /// <summary>No compute can take the session; <see cref="CerverException.Report"/> says why, candidate by candidate.</summary>
    NoCompute = 4,

    /// <summary>The session can never be resumed: it has ended, or it never had compute.</summary>
    NotResumable = 5,

    /// <summary>The session has ended.</summary>
    SessionEnded = 6,

    /// <summary>A run is going on that stands in the way.</summary>
    RunActive = 7,

    /// <summary>A value is larger than its limit; the message names the limit.</summary>
    PayloadTooLarge = 8,

    /// <summary>Too many of something at once; trying again later helps.</summary>
    RateLimited = 9,

    /// <summary>The machine that holds the compute is not connected.</summary>
    ComputeOffline = 10,

    /// <summary>The provider of the compute did not do its part.</summary>
    ProviderUnavailable = 11,

    /// <summary>The database took no write; nothing was changed.</summary>
    StorageUnavailable = 12,

    /// <summary>
    /// Another activation of the same session wrote first. Nothing was changed by this call and the stale activation is gone,
    /// so the same call may be made again at once.
    /// </summary>
    Fenced = 13,

    /// <summary>The operation's key was used for another request.</summary>
    IdempotencyMismatch = 14,

    /// <summary>
    /// The database failed in the middle of a commit. Whether the change is on disk is not known before the gateway has started again or
    /// the next write has succeeded.
    /// </summary>
    StorageInDoubt = 15,

    /// <summary>
    /// The machine that alone can reach the session's sandbox is not in the cluster now, or is about to leave it. Nothing was changed.
    /// After a restart it is back within seconds.
    /// </summary>
    HostUnavailable = 16,

    /// <summary>No source that the account may ask has a secret of this name; the message says which were asked and how to add one.</summary>
    SecretNotFound = 17,

    /// <summary>A backend of secrets cannot be asked, or does not let the gateway in; the message names it. No other one was asked instead.</summary>
    SecretBackendUnavailable = 18,
}
