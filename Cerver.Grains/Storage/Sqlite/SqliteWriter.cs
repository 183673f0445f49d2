using System.Runtime.InteropServices;
using Microsoft.Data.Sqlite;
using static SQLitePCL.raw;

namespace Cerver.Grains.Storage.Sqlite;

/// <summary>The one writer's connection with its statements. Its transactions and its checkpoints fail where somebody can see it.</summary>
internal sealed partial class SqliteWriter(SqliteConnection connection) : IDisposable
{
    private const int CacheWrites = 9;

    /// <summary>As many pages as SQLite itself lets the log grow by before it moves them.</summary>
    private const int CheckpointPages = 1000;

    /// <summary>The statements of the connection.</summary>
    public SqliteStatements Statements { get; } = new(connection);

    /// <summary>Whether the last statement that was begun was a commit.</summary>
    public bool IsCommitting { get; private set; }

    /// <summary>The system's error number behind the last I/O error, 0 when there was none.</summary>
    public int SystemError => ReadSystemError(connection.Handle!.DangerousGetHandle());

    /// <summary>Runs one of the statements that frame changes.</summary>
    public void Run(string path) => Statements.Execute(path);

    /// <summary>Ends a batch. What it changed is on disk then.</summary>
    public void Commit()
    {
        IsCommitting = true;
        Run("Storage/Sqlite/commit.sql");
        IsCommitting = false;
    }

    /// <summary>
    /// Moves the log into the file when it has grown enough. Left to itself SQLite does this inside a commit and keeps a failure, be it of
    /// a flush, to itself.
    /// </summary>
    public void Checkpoint()
    {
        _ = sqlite3_db_status(connection.Handle!, CacheWrites, out var pages, out _, resetFlg: 0);
        if (pages >= CheckpointPages)
        {
            _ = sqlite3_db_status(connection.Handle!, CacheWrites, out _, out _, resetFlg: 1);
            Run("Storage/Sqlite/checkpoint.sql");
        }
    }

    /// <summary>Moves all of the log into the file and leaves nothing in it. Waits for nobody.</summary>
    /// <returns>Whether it did; it cannot while somebody reads what is still in the log.</returns>
    /// <exception cref="SqliteException">The log could not be moved.</exception>
    public bool EmptyLog()
    {
        _ = sqlite3_busy_timeout(connection.Handle!, 0);
        var result = sqlite3_wal_checkpoint_v2(connection.Handle!, "main", SQLITE_CHECKPOINT_TRUNCATE, out _, out _);
        _ = sqlite3_busy_timeout(connection.Handle!, SqliteDatabase.WriterWaitMs);
        if (result == SQLITE_BUSY)
        {
            return false;
        }

        SqliteException.ThrowExceptionForRC(result, connection.Handle);
        return true;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Statements.Dispose();
        connection.Dispose();
    }

    [LibraryImport("e_sqlite3", EntryPoint = "sqlite3_system_errno")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.AssemblyDirectory)]
    private static partial int ReadSystemError(nint database);
}
