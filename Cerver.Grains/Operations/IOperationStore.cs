using Cerver.Errors;

namespace Cerver.Grains.Operations;

/// <summary>
/// Where operations are kept that callers gave a key. They are added in the transaction of their effect, see
/// <see cref="Sessions.SessionChange.Recorded"/>. Every failure is a <see cref="CerverException"/>.
/// </summary>
internal interface IOperationStore
{
    /// <summary>How long a key stands for its operation.</summary>
    static TimeSpan Lifetime { get; } = TimeSpan.FromHours(24);

    /// <summary>How many are removed with one commit.</summary>
    const int RemovedAtOnce = 256;

    /// <summary>An operation of an account, or null when there is none or it is older than <see cref="Lifetime"/>.</summary>
    Task<RecordedOperation?> FindAsync(string accountId, string key, CancellationToken cancellationToken);

    /// <summary>Removes what is older than <see cref="Lifetime"/>.</summary>
    Task RemoveOldAsync(CancellationToken cancellationToken);
}

/// <summary>An operation that was carried out, or at least begun.</summary>
/// <param name="Key">The caller's name for it.</param>
/// <param name="RequestHash">SHA-256 of what was asked for.</param>
/// <param name="Result">What it came to, in JSON; for one of which that is not known, what <see cref="Begun"/> makes.</param>
internal sealed record RecordedOperation(string Key, ImmutableArray<byte> RequestHash, string Result)
{
    /// <summary>No JSON begins with it.</summary>
    private const char NotKnown = '?';

    /// <summary>Why it is not known what it came to, as a sentence for whoever asks; null when it is known.</summary>
    public string? Doubt => Result[0] == NotKnown ? Result[1..] : null;

    /// <summary>It as it is recorded with the first part of its effect.</summary>
    /// <param name="doubt">What is said to whoever sends it again before it is known what it came to.</param>
    public RecordedOperation Begun(string doubt) => this with { Result = NotKnown + doubt };
}
