using Npgsql;

namespace Cerver.Grains.Storage.Postgres;

/// <summary>How to connect to a PostgreSQL database. One pool of connections serves the stores and Orleans.</summary>
internal static class PostgresDatabase
{
    /// <summary>How long a command may take, in seconds.</summary>
    public const int CommandSeconds = 10;

    /// <summary>
    /// What holds unless the connection string says otherwise. Six processes with this many connections each fit under the hundred that a server allows
    /// by default.
    /// </summary>
    private const string Defaults =
        "Application Name=cerver;Maximum Pool Size=16;Timeout=5;Command Timeout=10;Cancellation Timeout=2000;Max Auto Prepare=128;Auto Prepare Min Usages=2;Keepalive=30;";

    private const string Beginning = "Storage/Postgres/begin_connection.sql";

    /// <summary>The pool of connections to a database. Whoever creates it disposes it.</summary>
    /// <param name="connectionString">In the words of Npgsql: <c>Host=…;Database=…;Username=…</c>.</param>
    /// <exception cref="ArgumentException">It is not such a string; the message says where.</exception>
    public static NpgsqlDataSource Create(string connectionString)
    {
        var builder = new NpgsqlDataSourceBuilder(Defaults + connectionString);

        // A connection has no state but its prepared statements and what it began with, and both are to stay.
        builder.ConnectionStringBuilder.NoResetOnClose = true;
        builder.UsePhysicalConnectionInitializer(Initialize, InitializeAsync);
        return builder.Build();
    }

    private static void Initialize(NpgsqlConnection connection)
    {
        using var command = Begin(connection);
        command.ExecuteNonQuery();
    }

    private static async Task InitializeAsync(NpgsqlConnection connection)
    {
        await using var command = Begin(connection);
        await command.ExecuteNonQueryAsync();
    }

#pragma warning disable CA2100 // The text is an embedded statement.
    private static NpgsqlCommand Begin(NpgsqlConnection connection) => new(SqlText.Load(Beginning), connection);
#pragma warning restore CA2100
}
