using Microsoft.Data.Sqlite;

namespace Cerver.Tests.Storage;

/// <summary>What the ADO.NET provider of Orleans expects of the statements that it finds in the database.</summary>
public sealed class GrainStateQueriesTests
{
    [Fact]
    public void A_write_without_a_version_inserts_once()
    {
        using var database = new TemporaryDatabase("orleans_");

        Assert.Equal(1L, Run(database, "WriteToStorageKey", version: null));
        Assert.Null(Run(database, "WriteToStorageKey", version: null));
    }

    [Fact]
    public void A_write_with_a_version_updates_only_at_that_version()
    {
        using var database = new TemporaryDatabase("orleans_");
        Run(database, "WriteToStorageKey", version: null);

        Assert.Equal(2L, Run(database, "WriteToStorageKey", version: 1));
        Assert.Null(Run(database, "WriteToStorageKey", version: 1));
        Assert.Equal(3L, Run(database, "WriteToStorageKey", version: 2));
    }

    [Fact]
    public void A_write_after_a_deletion_does_not_bring_the_row_back()
    {
        using var database = new TemporaryDatabase("orleans_");
        Run(database, "WriteToStorageKey", version: null);

        Assert.Equal(2L, Run(database, "DeleteStorageKey", version: 1));
        Assert.Null(Run(database, "WriteToStorageKey", version: 1));
        Assert.Equal(1L, Run(database, "WriteToStorageKey", version: null));
    }

    [Fact]
    public void Clearing_keeps_the_row_without_its_payload_and_moves_the_version_on()
    {
        using var database = new TemporaryDatabase("orleans_");
        Run(database, "WriteToStorageKey", version: null);

        Assert.Equal(2L, Run(database, "ClearStorageKey", version: 1));
        Assert.Null(Run(database, "ClearStorageKey", version: 1));
        Assert.Equal(3L, Run(database, "ClearStorageKey", version: 2));
        Assert.Equal(DBNull.Value, Run(database, "ReadFromStorageKey", version: null));
        Assert.Equal(4L, Run(database, "WriteToStorageKey", version: 3));
    }

    [Fact]
    public void Reading_what_was_never_written_gives_no_row()
    {
        using var database = new TemporaryDatabase("orleans_");

        Assert.Null(Run(database, "ReadFromStorageKey", version: null));
    }

    private static object? Run(TemporaryDatabase database, string key, int? version)
    {
        var text = (string)database.Scalar($"select QueryText from OrleansQuery where QueryKey = '{key}'")!;
        using var connection = database.Database.Open();
        using var command = connection.CreateCommand();
#pragma warning disable CA2100 // The statement under test.
        command.CommandText = text;
#pragma warning restore CA2100
        command.Parameters.AddWithValue("ServiceId", "cerver");
        command.Parameters.AddWithValue("GrainIdHash", 7);
        command.Parameters.AddWithValue("GrainIdN0", 0L);
        command.Parameters.AddWithValue("GrainIdN1", 0L);
        command.Parameters.AddWithValue("GrainTypeHash", 7);
        command.Parameters.AddWithValue("GrainTypeString", "compute");
        command.Parameters.AddWithValue("GrainIdExtensionString", "sandbox:a/sbx_1");
        command.Parameters.AddWithValue("GrainStateVersion", version is null ? DBNull.Value : version);
        command.Parameters.Add(new SqliteParameter("PayloadBinary", SqliteType.Blob) { Value = "{}"u8.ToArray() });

        // The provider takes the one row there may be, of whichever result set.
        using var rows = command.ExecuteReader();
        object? found = null;
        do
        {
            while (rows.Read())
            {
                Assert.Null(found);
                found = rows.GetValue(0);
            }
        }
        while (rows.NextResult());
        return found;
    }
}
