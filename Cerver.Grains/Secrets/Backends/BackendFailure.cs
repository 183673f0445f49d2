using System.Net;
using Cerver.Errors;

namespace Cerver.Grains.Secrets.Backends;

/// <summary>What kept a backend of secrets from answering.</summary>
internal enum BackendFault
{
    /// <summary>No connection, or one that broke.</summary>
    Unreachable,

    /// <summary>Its certificate is not one that this machine trusts.</summary>
    Untrusted,

    /// <summary>It took too long.</summary>
    TimedOut,

    /// <summary>It sends the gateway elsewhere.</summary>
    Redirected,

    /// <summary>It says more than is read.</summary>
    TooLarge,

    /// <summary>It is not what it should be, or says what it should not.</summary>
    NotUnderstood,

    /// <summary>It does not take the credentials.</summary>
    LoginRefused,

    /// <summary>It takes the credentials, and does not show what was asked for.</summary>
    AccessRefused,

    /// <summary>It gets too many requests.</summary>
    Busy,

    /// <summary>It failed by itself.</summary>
    Failed,

    /// <summary>It does not have the place in which the secrets should be.</summary>
    Misplaced,

    /// <summary>It has the secret in a form that cannot be handed out.</summary>
    NoValue,
}

/// <summary>Ends a question to a backend of secrets. It stays in the adapter, which logs what kind it is and throws ours.</summary>
/// <param name="fault">What kind of failure it is.</param>
/// <param name="sentence">What the backend did and what to do, as the rest of a sentence that begins with its name. No word of it is the backend's.</param>
/// <param name="status">The status of its answer, if there was one.</param>
internal sealed class BackendFailure(BackendFault fault, string sentence, HttpStatusCode? status = null) : Exception(sentence)
{
    /// <summary>What kind of failure it is.</summary>
    public BackendFault Fault => fault;

    /// <summary>The status of the answer as a number, or null when there was none.</summary>
    public int? Status => (int?)status;

    /// <summary>What the caller is told.</summary>
    /// <param name="source">The word of the source.</param>
    /// <param name="host">The backend's host.</param>
    public CerverException Refusal(string source, string host) =>
        new(CerverError.SecretBackendUnavailable, $"The source '{source}' has no answer. {host} {Message}");

    /// <summary>The failure that an answer is which is neither what was asked for nor any refusal that its adapter knows.</summary>
    public static BackendFailure Of(HttpStatusCode status) => (int)status switch
    {
        >= 300 and < 400 => new(BackendFault.Redirected, "sends the gateway elsewhere, where it does not go: set the address that it has now.", status),
        429 => new(BackendFault.Busy, "takes no more requests for now: try again in a minute.", status),
        >= 500 => new(BackendFault.Failed, "has failed by itself: try again later, and look at its own log when it goes on.", status),
        _ => new(BackendFault.NotUnderstood, "answers in a way that the gateway does not know: check that the address is right.", status),
    };
}
