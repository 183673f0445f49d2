using System.Threading.Channels;
using Cerver.Errors;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging;

namespace Cerver.Grains.Storage.Sqlite;

/// <summary>
/// Group commit: every change to the database goes through here, and what arrived while the last transaction was being written goes into the
/// next one. One flush of the disk serves many sessions, and a lone caller waits for nobody.
/// </summary>
/// <remarks>
/// Each change of a batch commits whole or not at all and fails alone: a session that was fenced does not touch the others. The queue and a
/// batch are bounded; who comes when the queue is full waits.
/// </remarks>
internal sealed partial class SqliteCommitPipeline : IAsyncDisposable
{
    private const int QueueCapacity = 4096;
    private const int BatchChanges = 512;
    private const int BatchBytes = 4 * 1024 * 1024;

    private readonly Channel<Change> _queue = Channel.CreateBounded<Change>(new BoundedChannelOptions(QueueCapacity) { SingleReader = true });
    private readonly SqliteDatabase _database;
    private readonly ILogger<SqliteCommitPipeline> _logger;
    private readonly Task _writer;

    public SqliteCommitPipeline(SqliteDatabase database, ILogger<SqliteCommitPipeline> logger)
    {
        _database = database;
        _logger = logger;
        // SQLite has no asynchronous I/O, so the writer has a thread of its own.
        _writer = Task.Factory.StartNew(Write, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
    }

    /// <summary>Commits a change. It is on disk when the task completes.</summary>
    /// <param name="apply">
    /// Makes the change, on the writer's thread and inside its transaction. It may be run at any time until the task completes, once.
    /// A <see cref="CerverException"/> or a violated constraint refuses this change alone.
    /// </param>
    /// <param name="bytes">About how many bytes it writes.</param>
    /// <param name="cancellationToken">Gives up while the queue is full. What is in the queue is carried out.</param>
    /// <exception cref="CerverException">
    /// <see cref="CerverError.Fenced"/> when a constraint was violated, <see cref="CerverError.StorageUnavailable"/> when the database takes no
    /// write. Nothing was changed in either case.
    /// </exception>
    public async Task CommitAsync(Action<SqliteStatements> apply, int bytes, CancellationToken cancellationToken)
    {
        var change = new Change(apply, bytes);
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

    private void Write()
    {
        var batch = new List<Change>(BatchChanges);
        SqliteSession? session = null;
        try
        {
            while (Take(batch))
            {
                try
                {
                    session ??= new SqliteSession(_database.OpenWriter());
                    Commit(session, batch);
                }
                catch (SqliteException failure)
                {
                    // After a failed write the state of the connection is not to be trusted: the next batch starts with a new one.
                    LogWriteFailed(failure, batch.Count);
                    session?.Dispose();
                    session = null;
                    batch.ForEach(change => change.Refuse(
                        new CerverException(CerverError.StorageUnavailable, "The database took no write, nothing was changed. Try again later.")));
                }

                batch.ForEach(change => change.Complete());
                batch.Clear();
            }
        }
        finally
        {
            session?.Dispose();
        }
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

    private void Commit(SqliteSession session, List<Change> batch)
    {
        session.Run("Storage/Sqlite/begin.sql");
        foreach (var change in batch)
        {
            session.Run("Storage/Sqlite/savepoint.sql");
            try
            {
                change.Apply(session.Statements);
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
                session.Run("Storage/Sqlite/rollback_savepoint.sql");
            }

            session.Run("Storage/Sqlite/release_savepoint.sql");
        }

        session.Run("Storage/Sqlite/commit.sql");
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "The database took no write; {Changes} changes were refused")]
    private partial void LogWriteFailed(SqliteException failure, int changes);

    [LoggerMessage(Level = LogLevel.Warning, Message = "A change was refused because somebody else wrote first: {Violation}")]
    private partial void LogFenced(string violation);

    /// <summary>The writer's connection and its statements.</summary>
    private sealed class SqliteSession(SqliteConnection connection) : IDisposable
    {
        public SqliteStatements Statements { get; } = new(connection);

        public void Run(string path) => Statements.Execute(path);

        public void Dispose()
        {
            Statements.Dispose();
            // An open transaction ends with the connection, and the pool must not hand this one on.
            SqliteConnection.ClearPool(connection);
            connection.Dispose();
        }
    }

    private sealed class Change(Action<SqliteStatements> apply, int bytes)
    {
        private readonly TaskCompletionSource _done = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private Exception? _refusal;

        public int Bytes { get; } = bytes;

        public bool IsRefused => _refusal is not null;

        public Task Task => _done.Task;

        public void Apply(SqliteStatements statements) => apply(statements);

        public void Refuse(Exception refusal) => _refusal = refusal;

        public void Complete()
        {
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
