using Cerver.Grains.Storage.Sqlite;
using Microsoft.Data.Sqlite;
using static SQLitePCL.raw;

namespace Cerver.Tests.Storage;

public sealed class SqliteFaultTests
{
    private const int NoSpace = 28;
    private const int ReadOnlyFileSystem = 30;
    private const int QuotaExceeded = 122;
    private const int InputOutput = 5;

    [Theory]
    [InlineData(SQLITE_FULL, SQLITE_FULL, 0, false, true)]
    [InlineData(SQLITE_READONLY, SQLITE_READONLY, 0, false, true)]
    [InlineData(SQLITE_BUSY, SQLITE_BUSY, 0, false, true)]
    [InlineData(SQLITE_IOERR, SQLITE_IOERR_WRITE, ReadOnlyFileSystem, false, true)]
    [InlineData(SQLITE_IOERR, SQLITE_IOERR_WRITE, QuotaExceeded, false, true)]
    [InlineData(SQLITE_IOERR, SQLITE_IOERR_WRITE, InputOutput, true, false)]
    [InlineData(SQLITE_IOERR, SQLITE_IOERR_WRITE, 0, true, false)]
    [InlineData(SQLITE_IOERR, SQLITE_IOERR_FSYNC, InputOutput, true, false)]
    [InlineData(SQLITE_IOERR, SQLITE_IOERR_FSYNC, NoSpace, true, false)]
    [InlineData(SQLITE_IOERR, SQLITE_IOERR_DIR_FSYNC, InputOutput, true, false)]
    [InlineData(SQLITE_IOERR, SQLITE_IOERR_TRUNCATE, InputOutput, true, false)]
    [InlineData(SQLITE_CORRUPT, SQLITE_CORRUPT, 0, true, false)]
    [InlineData(SQLITE_NOTADB, SQLITE_NOTADB, 0, true, false)]

    // The rows are written and flushed when this can happen in a commit, and only then the index over the log has to grow.
    [InlineData(SQLITE_IOERR, SQLITE_IOERR_SHMSIZE, NoSpace, false, false)]
    [InlineData(SQLITE_CANTOPEN, SQLITE_CANTOPEN, 0, false, false)]
    [InlineData(SQLITE_NOMEM, SQLITE_NOMEM, 0, false, false)]
    public void A_failure_says_whether_writing_may_go_on_and_whether_its_commit_is_known_to_be_off_the_disk(
        int code, int extended, int systemError, bool isFinal, bool refusedCommit)
    {
        var failure = new SqliteException("failure", code, extended);

        Assert.Equal(isFinal, SqliteFault.IsFinal(failure, systemError));
        Assert.Equal(refusedCommit, SqliteFault.RefusedCommit(failure, systemError));
    }

    [Fact]
    public void A_mistake_of_ours_ends_the_writing_too()
    {
        Assert.True(SqliteFault.IsFinal(new InvalidOperationException("mistake"), systemError: 0));
        Assert.False(SqliteFault.RefusedCommit(new InvalidOperationException("mistake"), systemError: 0));
    }
}
