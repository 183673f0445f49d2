using System.Diagnostics;

namespace Cerver.Grains.Secrets;

/// <summary>What came of asking for a secret.</summary>
internal enum SecretOutcome
{
    /// <summary>It was given away.</summary>
    Fetched = 1,

    /// <summary>No source is open to the account.</summary>
    Denied = 2,

    /// <summary>No source that is open to the account has it.</summary>
    NotFound = 3,
}

/// <summary>The words of the contract for <see cref="SecretOutcome"/>.</summary>
internal static class SecretOutcomes
{
    /// <summary>The word that a transcript has.</summary>
    public static string WordOf(SecretOutcome outcome) => outcome switch
    {
        SecretOutcome.Fetched => "fetched",
        SecretOutcome.Denied => "denied",
        SecretOutcome.NotFound => "not_found",
        _ => throw new UnreachableException($"No word for {outcome}."),
    };
}
