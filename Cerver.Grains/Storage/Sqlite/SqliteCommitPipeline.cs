using System.Threading.Channels;
using Cerver.Errors;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging;

namespace Cerver.Grains.Storage.Sqlite;

/// <summary>
/// Group commit: every change to the database goes through here, and what arrived while the last transaction was being written goes into
/// the next one. One flush of the disk serves many sessions, and a lone caller waits for nobody.
/// </summary>
/// <remarks>
/// Each change of a batch commits whole or not at all and fails alone: a session that was fenced does not touch the others. The queue and a
/// batch are bounded; who comes when the queue is full waits. A database that refuses (full, read-only, busy) is tried again with the next
/// batch. After a flush that failed there is no next one: the pipeline refuses everything, and <see cref="StorageFailure"/> tells who runs
/// the process.
/// </remarks>
internal sealed partial class SqliteCommitPipeline : IAsyncDisposable
{
    private const int QueueCapacity = 4096;
    private const int BatchChanges = 512;
    private const int BatchBytes = 4 * 1024 * 1024;

    private readonly Channel<Change> _queue = Channel.CreateBounded<Change>(new BoundedChannelOptions(QueueCapacity) { SingleReader = true });
    private readonly SqliteDatabase _database;
    private readonly ILogger<SqliteCommitPipeline> _logger;
    private readonly StorageFailure _failure;
    private readonly Task _writer;
    private int _waiting;
    private volatile bool _failed;
    private bool _logHoldsErased;

    public SqliteCommitPipeline(SqliteDatabase database, StorageFailure failure, ILogger<SqliteCommitPipeline> logger)
    {
        _database = database;
        _failure = failure;
        _logger = logger;
        // SQLite has no asynchronous I/O, so the writer has a thread of its own.
        _writer = Task.Factory.StartNew(Write, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
    }

    /// <summary>
    /// Says whether the database still takes writes: after a failure that leaves open what is on disk it does not. What the next write
    /// meets is not looked at.
    /// </summary>
    /// <exception cref="CerverException"><see cref="CerverError.StorageUnavailable"/>.</exception>
    public void EnsureTakesWrites()
    {
        if (_failed)
        {
            throw TakesNoMore();
        }
    }

    /// <summary>Commits a change. It is on disk when the task completes.</summary>
    /// <param name="apply">
    /// Makes the change, on the writer's thread and inside its transaction. It may be run at any time until the task completes, once.
    /// A <see cref="CerverException"/> or a violated constraint refuses this change alone.
    /// </param>
    /// <param name="bytes">About how many bytes it writes.</param>
    /// <param name="cancellationToken">Gives up while the queue is full. What is in the queue is carried out.</param>
    /// <param name="index">
    /// Adds what the change made to the full-text index, when all changes of the batch were made: the index writes what it has gathered to the database at every
    /// savepoint, and there is one for each change. A failure of it fails the batch.
    /// </param>
    /// <exception cref="CerverException">
    /// <see cref="CerverError.Fenced"/> when a constraint was violated, <see cref="CerverError.StorageUnavailable"/> when the database
    /// takes no write; nothing was changed in either case. <see cref="CerverError.StorageInDoubt"/> when it failed in the middle of the
    /// commit.
    /// </exception>
    public Task CommitAsync(Action<SqliteStatements> apply, int bytes, CancellationToken cancellationToken, Action<SqliteStatements>? index = null) =>
        CommitCountedAsync(new Change(apply, index, bytes), cancellationToken);

    /// <summary>Commits output of a run, of which there may be any amount.</summary>
    /// <returns>Whether others waited for the writer meanwhile, who have little to write each. Whoever has more output lets them go first.</returns>
    /// <inheritdoc cref="CommitAsync(Action{SqliteStatements}, int, CancellationToken, Action{SqliteStatements})"/>
    public async Task<bool> CommitOutputAsync(Action<SqliteStatements> apply, int bytes, CancellationToken cancellationToken)
    {
        var change = new Change(apply, index: null, bytes);
        await CommitAsync(change, cancellationToken);
        return change.WasInTheWay;
    }

    /// <summary>
    /// Commits the last change of an erasure. The log still holds what was erased, so it is moved into the file and emptied soon after, as
    /// soon as no reader is in the way.
    /// </summary>
    /// <inheritdoc cref="CommitAsync(Action{SqliteStatements}, int, CancellationToken, Action{SqliteStatements})"/>
    public Task CommitErasureAsync(Action<SqliteStatements> apply, CancellationToken cancellationToken) =>
        CommitCountedAsync(new Change(apply, index: null, bytes: 0) { Erases = true }, cancellationToken);

    /// <summary>Writes what is in the queue, and then takes no more.</summary>
    public async ValueTask DisposeAsync()
    {
        _queue.Writer.TryComplete();
        await _writer;
    }

    private async Task CommitAsync(Change change, CancellationToken cancellationToken)
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

    private async Task CommitCountedAsync(Change change, CancellationToken cancellationToken)
    {
        Interlocked.Increment(ref _waiting);
        try
        {
            await CommitAsync(change, cancellationToken);
        }
        finally
        {
            Interlocked.Decrement(ref _waiting);
        }
    }

    private void Write()
    {
        var batch = new List<Change>(BatchChanges);
        SqliteWriter? writer = null;
        try
        {
            while (Take(batch))
            {
                Write(ref writer, batch);
                _logHoldsErased |= batch.Exists(static change => change.Erases);
                var othersWaited = Volatile.Read(ref _waiting) > 0;
                batch.ForEach(change => change.Complete(othersWaited));
                batch.Clear();

                // Nobody waits for this.
                Checkpoint(ref writer);
            }
        }
        finally
        {
            writer?.Dispose();
        }
    }

    private void Write(ref SqliteWriter? writer, List<Change> batch)
    {
        if (_failed)
        {
            batch.ForEach(change => change.Refuse(TakesNoMore()));
            return;
        }

        try
        {
            writer ??= new SqliteWriter(_database.OpenWriter());
            Commit(writer, batch);
        }
        catch (Exception failure)
        {
            LogWriteFailed(failure, batch.Count);
            var inDoubt = writer is { IsCommitting: true } && !SqliteFault.RefusedCommit(failure, writer.SystemError);

            // A change that was refused was undone before the commit, so of it nothing can be on disk.
            batch.ForEach(change => change.Refuse(inDoubt && !change.IsRefused ? InDoubt() : TookNothing()));
            Abandon(ref writer, failure);
        }
    }

    private void Checkpoint(ref SqliteWriter? writer)
    {
        try
        {
            if (_failed || writer is null)
            {
                return;
            }

            if (_logHoldsErased)
            {
                // A reader that is in the way will be gone after one of the next batches. None of them is to wait for it.
                _logHoldsErased = !writer.EmptyLog();
            }
            else
            {
                writer.Checkpoint();
            }
        }
        catch (SqliteException failure)
        {
            LogCheckpointFailed(failure);
            Abandon(ref writer, failure);
        }
    }

    /// <summary>
    /// After a failure the state of the connection is not to be trusted: the next batch starts with a new one, if there may be one.
    /// </summary>
    private void Abandon(ref SqliteWriter? writer, Exception failure)
    {
        if (!SqliteFault.IsFinal(failure, writer?.SystemError ?? 0))
        {
            writer?.Dispose();
            writer = null;
            return;
        }

        // The connection stays open: closing the last one would write to the file once more.
        _failed = true;
        LogStopped(_database.Path);
        _failure.Report(_database.Path, failure);
    }

    /// <summary>Waits for a change and takes all that are there with it.</summary>
    private bool Take(List<Change> batch)
    {
        var bytes = 0;
        while (batch.Count == 0)
        {
            if (!_queue.Reader.TryRead(out var first))
            {
#pragma warning disable VSTHRD002 // This thread has nothing else to do.
                if (!_queue.Reader.WaitToReadAsync().AsTask().GetAwaiter().GetResult())
#pragma warning restore VSTHRD002
                {
                    return false;
                }

                continue;
            }

            batch.Add(first);
            bytes = first.Bytes;
        }

        while (batch.Count < BatchChanges && bytes < BatchBytes && _queue.Reader.TryRead(out var next))
        {
            batch.Add(next);
            bytes += next.Bytes;
        }

        return true;
    }

    private void Commit(SqliteWriter writer, List<Change> batch)
    {
        writer.Run("Storage/Sqlite/begin.sql");
        foreach (var change in batch)
        {
            writer.Run("Storage/Sqlite/savepoint.sql");
            try
            {
                change.Apply(writer.Statements);
            }
            catch (CerverException refusal)
            {
                change.Refuse(refusal);
            }
            catch (SqliteException violation) when (violation.SqliteErrorCode == SQLitePCL.raw.SQLITE_CONSTRAINT)
            {
                LogFenced(violation.Message);
                change.Refuse(new CerverException(CerverError.Fenced, "Somebody else wrote to this session first. Try again."));
            }
            catch (Exception mistake) when (mistake is not SqliteException)
            {
                // A mistake of ours in one change must not take the writer and all other sessions with it.
                change.Refuse(mistake);
            }

            if (change.IsRefused)
            {
                writer.Run("Storage/Sqlite/rollback_savepoint.sql");
            }

            writer.Run("Storage/Sqlite/release_savepoint.sql");
        }

        foreach (var change in batch)
        {
            if (!change.IsRefused)
            {
                change.Index(writer.Statements);
            }
        }

        writer.Commit();
    }

    private static CerverException TookNothing() => new(CerverError.StorageUnavailable, "The database took no write, nothing was changed. Try again later.");

    private static CerverException TakesNoMore() => new(
        CerverError.StorageUnavailable, "The database failed and takes no more writes before the gateway has started again; nothing was changed. Try again in a moment.");

    private static CerverException InDoubt() => new(
        CerverError.StorageInDoubt,
        "The database failed while it wrote this, and whether it is stored is not known. Look before you repeat it, or repeat it with the Idempotency-Key it had.");

    [LoggerMessage(Level = LogLevel.Error, Message = "The database took no write; {Changes} changes were refused")]
    private partial void LogWriteFailed(Exception failure, int changes);

    [LoggerMessage(Level = LogLevel.Error, Message = "The log could not be moved into the database file")]
    private partial void LogCheckpointFailed(SqliteException failure);

    [LoggerMessage(Level = LogLevel.Critical, Message = "The database {Path} takes no more writes: what is on disk is not known before the next start")]
    private partial void LogStopped(string path);

    [LoggerMessage(Level = LogLevel.Warning, Message = "A change was refused because somebody else wrote first: {Violation}")]
    private partial void LogFenced(string violation);

    private sealed class Change(Action<SqliteStatements> apply, Action<SqliteStatements>? index, int bytes)
    {
        private readonly TaskCompletionSource _done = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private Exception? _refusal;

        public int Bytes { get; } = bytes;

        public bool Erases { get; init; }

        /// <summary>Whether others waited while it was written.</summary>
        public bool WasInTheWay { get; private set; }

        public bool IsRefused => _refusal is not null;

        public Task Task => _done.Task;

        public void Apply(SqliteStatements statements) => apply(statements);

        public void Index(SqliteStatements statements) => index?.Invoke(statements);

        public void Refuse(Exception refusal) => _refusal = refusal;

        public void Complete(bool othersWaited)
        {
            WasInTheWay = othersWaited;
            if (_refusal is null)
            {
                _done.SetResult();
            }
            else
            {
                _done.SetException(_refusal);
            }
        }
    }
}
