using Cerver.Grains.Storage.Sqlite;
using Microsoft.Data.Sqlite;

namespace Cerver.Tests.Storage;

/// <summary>A real database file of the test's own.</summary>
internal sealed class TemporaryDatabase : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("cerver-db-").FullName;

    public TemporaryDatabase(string prefix = "")
    {
        Database = new SqliteDatabase(Path.Combine(_directory, "test.db"));
        Database.Migrate(prefix);
    }

    public SqliteDatabase Database { get; }

    /// <summary>Runs a statement and gives its first value.</summary>
    public object? Scalar(string text)
    {
        using var connection = Database.Open();
        using var command = connection.CreateCommand();
#pragma warning disable CA2100 // The test's own text.
        command.CommandText = text;
#pragma warning restore CA2100
        return command.ExecuteScalar();
    }

    public void Dispose()
    {
        SqliteConnection.ClearAllPools();
        Directory.Delete(_directory, recursive: true);
    }
}
