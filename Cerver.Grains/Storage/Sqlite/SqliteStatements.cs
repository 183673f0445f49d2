using Microsoft.Data.Sqlite;

namespace Cerver.Grains.Storage.Sqlite;

/// <summary>The prepared statements of one connection. Not for use by two threads at once.</summary>
internal sealed class SqliteStatements(SqliteConnection connection) : IDisposable
{
    private readonly Dictionary<string, SqliteCommand> _commands = new(StringComparer.Ordinal);

    /// <summary>Runs a statement that gives no rows.</summary>
    /// <param name="path">The statement, see <see cref="SqlText"/>; its parameters are <c>$1</c>, <c>$2</c>, ….</param>
    /// <param name="parameters">The values in that order; null stands for SQL's null.</param>
    /// <returns>How many rows it changed.</returns>
    public int Execute(string path, params ReadOnlySpan<object?> parameters) => Bind(path, parameters).ExecuteNonQuery();

    /// <summary>Runs a statement that gives rows. Dispose the reader before the statement is used again.</summary>
    public SqliteDataReader Query(string path, params ReadOnlySpan<object?> parameters) => Bind(path, parameters).ExecuteReader();

    /// <summary>Runs a statement that gives one number.</summary>
    public long QueryNumber(string path, params ReadOnlySpan<object?> parameters) => (long)Bind(path, parameters).ExecuteScalar()!;

    /// <summary>Breaks off what runs too long, with SQLITE_INTERRUPT. Dispose what it gives when that is over.</summary>
    /// <param name="isOver">Whether the time is over.</param>
    public IDisposable LimitTime(Func<bool> isOver) => new TimeLimit(connection, isOver);

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var command in _commands.Values)
        {
            command.Dispose();
        }

        _commands.Clear();
    }

    private SqliteCommand Bind(string path, ReadOnlySpan<object?> parameters)
    {
        if (!_commands.TryGetValue(path, out var command))
        {
            command = Prepare(path, parameters.Length);
            _commands.Add(path, command);
        }

        for (var i = 0; i < parameters.Length; i++)
        {
            command.Parameters[i].Value = parameters[i] ?? DBNull.Value;
        }

        return command;
    }

    private SqliteCommand Prepare(string path, int count)
    {
        var command = connection.CreateCommand();
#pragma warning disable CA2100 // The text is an embedded statement.
        command.CommandText = SqlText.Load(path);
#pragma warning restore CA2100
        for (var i = 1; i <= count; i++)
        {
            command.Parameters.Add(new SqliteParameter { ParameterName = $"${i}" });
        }

        return command;
    }

    private sealed class TimeLimit : IDisposable
    {
        /// <summary>Some tenths of a millisecond.</summary>
        private const int Instructions = 1000;

        private readonly SqliteConnection _connection;

        public TimeLimit(SqliteConnection connection, Func<bool> isOver)
        {
            _connection = connection;
            SQLitePCL.raw.sqlite3_progress_handler(connection.Handle!, Instructions, _ => isOver() ? 1 : 0, v: null);
        }

        public void Dispose() => SQLitePCL.raw.sqlite3_progress_handler(_connection.Handle!, 0, null, v: null);
    }
}
