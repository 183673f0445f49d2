using System.Diagnostics;
using Cerver.Errors;
using Cerver.Sessions;

namespace Cerver.Api.Sessions;

/// <summary>The words for a session's status: three that we say, and more that we understand.</summary>
internal static class StatusWords
{
    /// <summary>The word that goes out.</summary>
    public static string Of(SessionStatus status) => status switch
    {
        SessionStatus.Idle => "idle",
        SessionStatus.Running => "running",
        SessionStatus.Ended => "ended",
        _ => throw new UnreachableException($"No word for {status}."),
    };

    /// <summary>What a relay means that says how its agent is. An agent that failed and can go on says so in its reason.</summary>
    /// <inheritdoc cref="Parse" path="/exception"/>
    public static SessionStatus ParseReport(string word, string? reason, string field) =>
        word == "failed" && reason?.StartsWith("agent paused after exit=", StringComparison.Ordinal) == true ? SessionStatus.Idle : Parse(word, field);

    /// <summary>What a word that comes in means.</summary>
    /// <exception cref="CerverException"><see cref="CerverError.InvalidRequest"/> for a word that means nothing to us.</exception>
    public static SessionStatus Parse(string word, string field) => word switch
    {
        "idle" or "ready" or "resting" or "paused" or "prepared" => SessionStatus.Idle,
        "running" or "provisioning" or "starting" => SessionStatus.Running,
        "ended" or "completed" or "terminated" or "archived" or "closed" or "failed" => SessionStatus.Ended,
        _ => throw new CerverException(CerverError.InvalidRequest, $"'{field}' must be one of idle, running, ended.", field),
    };
}
