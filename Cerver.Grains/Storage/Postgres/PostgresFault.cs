using Npgsql;

namespace Cerver.Grains.Storage.Postgres;

/// <summary>What a failure of PostgreSQL, or on the way there, says about what was sent. Pure.</summary>
internal static class PostgresFault
{
    private const string StatementCompletionUnknown = "40003";

    /// <summary>What Npgsql says when not all of what it had to send could be sent; it has no code for it.</summary>
    private const string NotSent = "Exception while writing to stream";

    /// <summary>
    /// Whether nothing of what was sent is on disk. An error that the server tells has undone the transaction, and what did not reach it whole has no end at
    /// which it would have been committed. Silence says nothing: the commit may have come before it. Nor does an error of the connection, which a pooler tells
    /// that has lost the server.
    /// </summary>
    public static bool IsUndone(Exception failure) => failure switch
    {
        PostgresException told => !IsOfConnection(told) && told.SqlState is not (PostgresErrorCodes.CrashShutdown or StatementCompletionUnknown),
        NpgsqlException lost => lost.Message == NotSent,
        _ => false,
    };

    /// <summary>
    /// Whether the connection was of no use any more before anything was done with it, as all in the pool are when the server was stopped. Another one may be.
    /// </summary>
    public static bool IsStale(Exception failure) => failure switch
    {
        PostgresException told => told.SqlState is PostgresErrorCodes.AdminShutdown or PostgresErrorCodes.IdleSessionTimeout,
        NpgsqlException lost => lost.Message == NotSent,
        _ => false,
    };

    /// <summary>Whether the connection was lost, or the time for an answer was over.</summary>
    public static bool IsLost(Exception failure) => failure is NpgsqlException and not PostgresException || !IsUndone(failure);

    /// <summary>Whether the time for an answer was over: the same would take as long again.</summary>
    public static bool IsTimeout(Exception failure) => failure is NpgsqlException { InnerException: TimeoutException };

    /// <summary>Whether somebody else wrote first.</summary>
    public static bool IsViolation(PostgresException failure) => failure.SqlState.StartsWith("23", StringComparison.Ordinal);

    /// <summary>Whether others were at the same rows, so that the same may succeed at once.</summary>
    public static bool IsCollision(PostgresException failure) =>
        failure.SqlState is PostgresErrorCodes.DeadlockDetected or PostgresErrorCodes.SerializationFailure or PostgresErrorCodes.LockNotAvailable;

    /// <summary>
    /// Whether it may be the doing of one change of a batch, so that the others must be tried without it: a constraint, others at the same row, or a value
    /// that the server does not take.
    /// </summary>
    public static bool MayBeOfOneChange(PostgresException failure) =>
        IsViolation(failure) || IsCollision(failure)
        || failure.SqlState.StartsWith("22", StringComparison.Ordinal) || failure.SqlState.StartsWith("54", StringComparison.Ordinal);

    private static bool IsOfConnection(PostgresException failure) => failure.SqlState.StartsWith("08", StringComparison.Ordinal);
}
