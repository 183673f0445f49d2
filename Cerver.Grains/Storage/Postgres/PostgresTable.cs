using System.Collections;
using Npgsql;
using NpgsqlTypes;

namespace Cerver.Grains.Storage.Postgres;

/// <summary>Rows for a statement that takes them as arrays, one for each column, so that many rows are one statement.</summary>
/// <remarks>Values are added row by row, and in each row in the order of the statement's parameters.</remarks>
/// <param name="path">The statement, see <see cref="SqlText"/>.</param>
internal sealed class PostgresTable(string path)
{
    private readonly List<(NpgsqlDbType Type, IList Values)> _columns = [];
    private int _next;

    /// <summary>Begins a row.</summary>
    public PostgresTable Row()
    {
        _next = 0;
        return this;
    }

    /// <summary>Adds a text to the row.</summary>
    public PostgresTable Text(string? value) => Add(NpgsqlDbType.Text, value is null ? null : PostgresText.Escape(value));

    /// <summary>Adds a number to the row.</summary>
    public PostgresTable Number(long? value) => Add(NpgsqlDbType.Bigint, value);

    /// <summary>Adds a yes or no to the row.</summary>
    public PostgresTable Flag(bool? value) => Add(NpgsqlDbType.Boolean, value);

    /// <summary>Adds bytes to the row.</summary>
    public PostgresTable Bytes(byte[] value) => Add(NpgsqlDbType.Bytea, value);

    /// <summary>Adds a UUID to the row.</summary>
    public PostgresTable Id(Guid? value) => Add(NpgsqlDbType.Uuid, value);

    /// <summary>As a part of a batch.</summary>
    public NpgsqlBatchCommand ToCommand()
    {
#pragma warning disable CA2100 // The text is an embedded statement.
        var command = new NpgsqlBatchCommand(SqlText.Load(path));
#pragma warning restore CA2100
        foreach (var (type, values) in _columns)
        {
            command.Parameters.Add(new NpgsqlParameter { NpgsqlDbType = NpgsqlDbType.Array | type, Value = values });
        }

        return command;
    }

    private PostgresTable Add<T>(NpgsqlDbType type, T value)
    {
        if (_next == _columns.Count)
        {
            _columns.Add((type, new List<T>()));
        }

        ((List<T>)_columns[_next++].Values).Add(value);
        return this;
    }
}
