using System.Threading.Channels;
using Cerver.Errors;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Cerver.Grains.Storage.Postgres;

/// <summary>
/// Group commit: every change of a session goes through here, and what arrived while the last batch was being committed goes into the next one. One flush of
/// the disk and one way to the server serve many sessions, and a lone caller waits for nobody.
/// </summary>
/// <remarks>
/// Each change of a batch commits whole or not at all and fails alone: a session that was fenced does not touch the others. The queue and a batch are bounded;
/// who comes when the queue is full waits. Other processes commit to the same database at the same time: sessions are locked in one order, and what happens all
/// the same is undone and tried change by change. One batch is under way at a time: with two, measured on two cores, 32 callers got a third less done, and 256 no
/// more.
/// </remarks>
internal sealed partial class PostgresCommitPipeline : IAsyncDisposable
{
    private const int QueueCapacity = 4096;
    private const int BatchChanges = 512;
    private const int BatchBytes = 4 * 1024 * 1024;
    private const int MaxFailedInARow = 2;
    private const int Attempts = 3;

    private readonly Channel<PostgresChange> _queue = Channel.CreateBounded<PostgresChange>(new BoundedChannelOptions(QueueCapacity) { SingleReader = true });
    private readonly PostgresConnections _connections;
    private readonly ILogger<PostgresCommitPipeline> _logger;
    private readonly Task _writer;

    /// <summary>Changes that could not go into the last batch, because another of the same session or operation did.</summary>
    private readonly List<PostgresChange> _left = [];

    public PostgresCommitPipeline(PostgresConnections connections, ILogger<PostgresCommitPipeline> logger)
    {
        _connections = connections;
        _logger = logger;
        _writer = Task.Run(WriteAsync);
    }

    /// <summary>Commits a change. It is on disk when the task completes.</summary>
    /// <param name="change">The change.</param>
    /// <param name="cancellationToken">Gives up while the queue is full. What is in the queue is carried out.</param>
    /// <exception cref="CerverException">
    /// What the change is refused with; <see cref="CerverError.Fenced"/> when a constraint was violated, <see cref="CerverError.StorageUnavailable"/> when the database
    /// takes no write; nothing was changed in either case. <see cref="CerverError.StorageInDoubt"/> when the connection was lost in the middle of the commit.
    /// </exception>
    public async Task CommitAsync(PostgresChange change, CancellationToken cancellationToken)
    {
        if (!_queue.Writer.TryWrite(change))
        {
            try
            {
                await _queue.Writer.WriteAsync(change, cancellationToken);
            }
            catch (ChannelClosedException)
            {
                throw new CerverException(CerverError.StorageUnavailable, "The gateway is stopping and takes no more writes. Try again.");
            }
        }

        await change.Task;
    }

    /// <summary>Writes what is in the queue, and then takes no more.</summary>
    public async ValueTask DisposeAsync()
    {
        _queue.Writer.TryComplete();
        await _writer;
    }

    private async Task WriteAsync()
    {
        while (_left.Count > 0 || await _queue.Reader.WaitToReadAsync())
        {
            await CommitAsync(Take());
        }
    }

    /// <summary>Takes what is there, as far as it goes into one batch.</summary>
    private List<PostgresChange> Take()
    {
        var batch = new List<PostgresChange>();
        var sessions = new HashSet<string>(StringComparer.Ordinal);
        var operations = new HashSet<(string, string)>();
        var bytes = 0;
        _left.RemoveAll(Joins);
        while (batch.Count < BatchChanges && bytes < BatchBytes && _left.Count < BatchChanges && _queue.Reader.TryRead(out var next))
        {
            if (!Joins(next))
            {
                _left.Add(next);
            }
        }

        return batch;

        bool Joins(PostgresChange change)
        {
            if (batch.Count == BatchChanges || bytes >= BatchBytes || sessions.Contains(change.SessionId)
                || (change.Operation is { } operation && !operations.Add(operation)))
            {
                return false;
            }

            sessions.Add(change.SessionId);
            batch.Add(change);
            bytes += change.Bytes;
            return true;
        }
    }

    /// <summary>Commits changes together, or those that may be at fault alone. All of them are completed or refused then.</summary>
    /// <returns>Whether others may succeed. Otherwise they would wait as long for the same refusal.</returns>
    private async Task<bool> CommitAsync(List<PostgresChange> changes)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                await CommitOnceAsync(changes);
                return true;
            }
            catch (PostgresException held) when (changes.Count > 1 && held.SqlState == PostgresErrorCodes.LockNotAvailable)
            {
                LogDivided(held.SqlState, changes.Count);
                return await CommitFreeAsync(changes, held);
            }
            catch (PostgresException shared) when (changes.Count > 1 && PostgresFault.MayBeOfOneChange(shared))
            {
                LogDivided(shared.SqlState, changes.Count);
                return await CommitEachAsync(changes);
            }
            catch (NpgsqlException failure) when (attempt < Attempts && IsWorthAnother(failure))
            {
                LogRepeated(failure);
            }
            catch (NpgsqlException failure)
            {
                Refuse(changes, failure);
                return failure is PostgresException told && PostgresFault.MayBeOfOneChange(told) && told.SqlState != PostgresErrorCodes.LockNotAvailable;
            }
            catch (CerverException notReached)
            {
                changes.ForEach(change => change.Refuse(notReached));
                return false;
            }
#pragma warning disable CA1031 // A mistake of ours in one change must not take the writer and all other sessions with it.
            catch (Exception mistake)
#pragma warning restore CA1031
            {
                if (changes.Count > 1)
                {
                    return await CommitEachAsync(changes);
                }

                changes[0].Refuse(mistake);
                return true;
            }
        }
    }

    private void Refuse(List<PostgresChange> changes, NpgsqlException failure)
    {
        if (failure is PostgresException violation && PostgresFault.IsViolation(violation))
        {
            LogFenced(violation.SqlState, violation.ConstraintName);
        }
        else
        {
            LogWriteFailed(failure, changes.Count);
        }

        if (PostgresFault.IsLost(failure))
        {
            _connections.Forget();
        }

        changes.ForEach(change => change.Refuse(PostgresConnections.Refusal(failure)));
    }

    /// <summary>Commits changes one by one, and refuses the rest at once when that has no end: each would wait a second for a lock, or five for a connection.</summary>
    private async Task<bool> CommitEachAsync(List<PostgresChange> changes)
    {
        var failed = 0;
        for (var next = 0; next < changes.Count; next++)
        {
            // One may wait for a key or an id that somebody holds, which is nobody else's business. Two in a row wait for something that all need.
            failed = await CommitAsync([changes[next]]) ? 0 : failed + 1;
            if (failed == MaxFailedInARow)
            {
                var rest = changes[(next + 1)..];
                if (rest.Count > 0)
                {
                    LogGivenUp(rest.Count);
                }

                rest.ForEach(static change => change.Refuse(PostgresConnections.NotWritten()));
                return false;
            }
        }

        return failed == 0;
    }

    /// <summary>Refuses the changes of sessions that somebody holds, as a process does that hung in the middle of a commit, and commits the others.</summary>
    private async Task<bool> CommitFreeAsync(List<PostgresChange> changes, PostgresException held)
    {
        HashSet<string> free;
        try
        {
            free = await _connections.ReadAsync(
                new PostgresStatement("Sessions/Postgres/find_free.sql").Texts(changes.Select(static change => change.SessionId)),
                static async (rows, cancellation) => new HashSet<string>(await rows.ReadAllAsync(static row => row.Text(0), cancellation), StringComparer.Ordinal),
                CancellationToken.None);
        }
        catch (CerverException notReached)
        {
            changes.ForEach(change => change.Refuse(notReached));
            return false;
        }

        var (others, busy) = (changes.FindAll(IsFree), changes.FindAll(change => !IsFree(change)));
        if (busy.Count == 0)
        {
            return await CommitEachAsync(others);
        }

        Refuse(busy, held);
        return others.Count == 0 || await CommitAsync(others);

        bool IsFree(PostgresChange change) => !change.LocksSession || free.Contains(change.SessionId);
    }

    private async Task CommitOnceAsync(List<PostgresChange> changes)
    {
        var batch = new PostgresBatch(changes);
        Exception?[] refusals;
        await using (var connection = await _connections.OpenAsync(CancellationToken.None))
        {
            refusals = await batch.CommitAsync(connection);
        }

        for (var i = 0; i < refusals.Length; i++)
        {
            if (refusals[i] is { } refusal)
            {
                changes[i].Refuse(refusal);
            }
            else
            {
                changes[i].Complete();
            }
        }
    }

    /// <summary>Whether the same may succeed at once. Nothing of it is on disk.</summary>
    private bool IsWorthAnother(NpgsqlException failure)
    {
        if (PostgresFault.IsStale(failure))
        {
            _connections.Forget();
            return true;
        }

        return failure is PostgresException collision && PostgresFault.IsCollision(collision) && collision.SqlState != PostgresErrorCodes.LockNotAvailable;
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "The database took no write, or it is not known whether it did; {Changes} changes were refused")]
    private partial void LogWriteFailed(NpgsqlException failure, int changes);

    [LoggerMessage(Level = LogLevel.Warning, Message = "A change was refused because somebody else wrote first: {SqlState}, {Constraint}")]
    private partial void LogFenced(string sqlState, string? constraint);

    [LoggerMessage(Level = LogLevel.Warning, Message = "One of {Changes} changes was not accepted ({SqlState}); they are committed one by one")]
    private partial void LogDivided(string sqlState, int changes);

    [LoggerMessage(Level = LogLevel.Error, Message = "{Changes} more changes were refused, because they would fail in the same way")]
    private partial void LogGivenUp(int changes);

    [LoggerMessage(Level = LogLevel.Warning, Message = "A batch was undone and is tried again")]
    private partial void LogRepeated(NpgsqlException failure);
}
