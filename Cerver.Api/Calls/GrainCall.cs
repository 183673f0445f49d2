using Cerver.Errors;
using Cerver.Operations;

namespace Cerver.Api.Calls;

/// <summary>One call of a grain by all of its attempts.</summary>
/// <param name="isRead">Whether it may be made any number of times.</param>
/// <param name="operation">The name of a write, or null.</param>
/// <param name="began">When the first attempt began, a timestamp of the clock.</param>
internal sealed class GrainCall(bool isRead, Operation? operation, long began)
{
    /// <summary>How often a write is made again that was overtaken each time. Beyond, somebody else writes without end.</summary>
    private const int MaxOvertaken = 8;

    private int _overtaken;
    private Exception? _doubt;

    /// <summary>Whether it may be made any number of times.</summary>
    public bool IsRead => isRead;

    /// <summary>When the first attempt began.</summary>
    public long Began => began;

    /// <summary>How long one attempt is waited for in a cluster.</summary>
    public TimeSpan AttemptLimit { get; init; } = GrainCalls.AttemptLimit;

    /// <summary>How many attempts failed.</summary>
    public int Failures { get; private set; }

    /// <summary>How the first one did, or null.</summary>
    public Exception? FirstFailure { get; private set; }

    /// <summary>The name that the next attempt goes by, or null.</summary>
    public Operation? Operation => Failures == 0 ? operation : operation is null ? null : operation with { IsRepetition = true };

    /// <summary>Takes note of how an attempt failed.</summary>
    /// <returns>Whether it is safe to make the call again.</returns>
    public bool MayRepeatAfter(Exception failure)
    {
        Failures++;
        FirstFailure ??= failure;
        switch (CallFailures.Of(failure))
        {
            case CallFailure.NotDelivered or CallFailure.HostAway:
                return true;
            case CallFailure.Overtaken:
                return ++_overtaken <= MaxOvertaken;
            case CallFailure.InDoubt:
                _doubt ??= failure;
                return isRead || operation is not null;
            default:
                return false;
        }
    }

    /// <summary>
    /// How the call failed as a whole when its last attempt failed like this. That the last attempt changed nothing does not say that an earlier one did not.
    /// </summary>
    public Exception FailureOf(Exception last) => isRead || _doubt is null || !SaysNothingWasChanged(last) ? last : _doubt;

    private static bool SaysNothingWasChanged(Exception failure) =>
        failure is CerverException { Code: CerverError.StorageUnavailable }
        || CallFailures.Of(failure) is CallFailure.NotDelivered or CallFailure.Overtaken or CallFailure.HostAway;
}
