using Cerver.Errors;

namespace Cerver.Grains.Storage.Postgres;

/// <summary>One change of one session, on its way into the database. It commits whole or not at all.</summary>
/// <param name="sessionId">The session. No batch has two changes of one.</param>
/// <param name="operation">The account and the key of the operation of which it is the effect, or null. No batch has two of one.</param>
/// <param name="bytes">About how many bytes it writes.</param>
internal abstract class PostgresChange(string sessionId, (string AccountId, string Key)? operation, int bytes)
{
    private readonly TaskCompletionSource _done = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>The session.</summary>
    public string SessionId { get; } = sessionId;

    /// <summary>The account and the key of the operation of which it is the effect, or null.</summary>
    public (string AccountId, string Key)? Operation { get; } = operation;

    /// <summary>About how many bytes it writes.</summary>
    public int Bytes { get; } = bytes;

    /// <summary>Whether the session exists before the change, so that its row is to be locked.</summary>
    public virtual bool LocksSession => true;

    /// <summary>Completes when it is on disk, and fails when it is not.</summary>
    public Task Task => _done.Task;

    /// <summary>Adds the rows that it writes to a batch.</summary>
    /// <param name="batch">The batch.</param>
    /// <param name="ordinal">Its place in the batch, which its rows carry.</param>
    public abstract void AddTo(PostgresBatch batch, long ordinal);

    /// <summary>What it is refused with when the database did not accept it.</summary>
    public abstract CerverException Refusal(bool sessionExists);

    /// <summary>It is on disk.</summary>
    public void Complete() => _done.SetResult();

    /// <summary>It is not, or it is not known whether it is.</summary>
    public void Refuse(Exception refusal) => _done.SetException(refusal);
}
