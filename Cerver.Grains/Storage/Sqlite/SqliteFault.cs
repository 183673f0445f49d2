using Microsoft.Data.Sqlite;
using static SQLitePCL.raw;

namespace Cerver.Grains.Storage.Sqlite;

/// <summary>What a failure of SQLite says about the file. Pure.</summary>
internal static class SqliteFault
{
    private const int ReadOnlyFileSystem = 30;
    private const int NoSpace = 28;
    private const int QuotaExceeded = 122;
    private const int FileTooLarge = 27;

    /// <summary>
    /// Whether the file must not be written to any more before a new start has read it. After a failed flush the system forgets what it
    /// could not write, so the next flush succeeds without it; and a damaged file only gets worse. A mistake of ours says nothing of the
    /// file at all.
    /// </summary>
    /// <param name="failure">What went wrong.</param>
    /// <param name="systemError">The system's error number behind an I/O error, 0 when it is not known.</param>
    public static bool IsFinal(Exception failure, int systemError) => failure is not SqliteException sqlite || sqlite.SqliteErrorCode switch
    {
        SQLITE_CORRUPT or SQLITE_NOTADB => true,
        SQLITE_IOERR => sqlite.SqliteExtendedErrorCode switch
        {
            // The system refused to take it, as it does when the disk is full; SQLite knows only one of these words.
            SQLITE_IOERR_WRITE or SQLITE_IOERR_TRUNCATE => systemError is not (ReadOnlyFileSystem or NoSpace or QuotaExceeded or FileTooLarge),
            _ => IsFailedFlush(sqlite),
        },
        _ => false,
    };

    /// <summary>Whether the system could not bring to the disk what it had taken before.</summary>
    public static bool IsFailedFlush(SqliteException failure) =>
        failure.SqliteExtendedErrorCode is SQLITE_IOERR_FSYNC or SQLITE_IOERR_DIR_FSYNC or SQLITE_IOERR_CLOSE or SQLITE_IOERR_DIR_CLOSE;

    /// <summary>
    /// Whether a transaction whose commit failed is certainly not on disk, whatever happens next. Otherwise its rows may all have been
    /// written before the failure, and the next start would find them.
    /// </summary>
    /// <inheritdoc cref="IsFinal"/>
    public static bool RefusedCommit(Exception failure, int systemError) => failure is SqliteException sqlite && sqlite.SqliteErrorCode switch
    {
        SQLITE_FULL or SQLITE_READONLY or SQLITE_BUSY or SQLITE_LOCKED => true,
        SQLITE_IOERR => sqlite.SqliteExtendedErrorCode is SQLITE_IOERR_WRITE && !IsFinal(failure, systemError),
        _ => false,
    };

    /// <summary>Whether the file itself is damaged, so that a backup has to take its place.</summary>
    public static bool IsDamage(SqliteException failure) => failure.SqliteErrorCode is SQLITE_CORRUPT or SQLITE_NOTADB;
}
