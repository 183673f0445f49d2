using Npgsql;
using NpgsqlTypes;

namespace Cerver.Grains.Storage.Postgres;

/// <summary>A statement with its parameters, which are added in their order and have their types also when they are null.</summary>
/// <param name="path">The statement, see <see cref="SqlText"/>; its parameters are <c>$1</c>, <c>$2</c>, ….</param>
internal sealed class PostgresStatement(string path)
{
    private readonly List<(NpgsqlDbType Type, object Value)> _parameters = [];

    /// <summary>Adds a text.</summary>
    public PostgresStatement Text(string? value) => Add(NpgsqlDbType.Text, value is null ? null : PostgresText.Escape(value));

    /// <summary>Adds texts.</summary>
    public PostgresStatement Texts(IEnumerable<string> values) => Add(NpgsqlDbType.Array | NpgsqlDbType.Text, values.Select(PostgresText.Escape).ToArray());

    /// <summary>Adds a number.</summary>
    public PostgresStatement Number(long? value) => Add(NpgsqlDbType.Bigint, value);

    /// <summary>Adds numbers.</summary>
    public PostgresStatement Numbers(IEnumerable<long> values) => Add(NpgsqlDbType.Array | NpgsqlDbType.Bigint, values.ToArray());

    /// <summary>Adds a UUID.</summary>
    public PostgresStatement Id(Guid value) => Add(NpgsqlDbType.Uuid, value);

    /// <summary>As a part of a batch. A statement that is sent again is another part.</summary>
    public NpgsqlBatchCommand ToCommand()
    {
#pragma warning disable CA2100 // The text is an embedded statement.
        var command = new NpgsqlBatchCommand(SqlText.Load(path));
#pragma warning restore CA2100
        foreach (var (type, value) in _parameters)
        {
            command.Parameters.Add(new NpgsqlParameter { NpgsqlDbType = type, Value = value });
        }

        return command;
    }

    private PostgresStatement Add(NpgsqlDbType type, object? value)
    {
        _parameters.Add((type, value ?? DBNull.Value));
        return this;
    }
}
