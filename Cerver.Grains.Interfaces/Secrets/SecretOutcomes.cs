using System.Diagnostics;

namespace Cerver.Secrets;

/// <summary>The words of the contract for <see cref="SecretOutcome"/>.</summary>
public static class SecretOutcomes
{
    /// <summary>The word that a transcript and the audit have.</summary>
    public static string WordOf(SecretOutcome outcome) => outcome switch
    {
        SecretOutcome.Fetched => "fetched",
        SecretOutcome.Denied => "denied",
        SecretOutcome.NotFound => "not_found",
        SecretOutcome.Injected => "injected",
        SecretOutcome.Unavailable => "unavailable",
        _ => throw new UnreachableException($"No word for {outcome}."),
    };
}
