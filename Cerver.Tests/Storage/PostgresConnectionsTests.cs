using Cerver.Errors;
using Cerver.Grains.Storage.Postgres;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace Cerver.Tests.Storage;

public sealed class PostgresConnectionsTests
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_read_that_lost_its_connection_is_repeated_on_another_one_and_a_slow_read_is_not(bool isSlow)
    {
        await using var database = await PostgresTestDatabase.CreateAsync();
        var connections = new PostgresConnections(database.Source, NullLogger<PostgresConnections>.Instance);
        Exception cause = isSlow ? new TimeoutException("Timeout during reading attempt") : new IOException("Connection reset by peer");
        var process = await database.ScalarAsync("select pg_backend_pid()");
        var attempts = 0;

        var refusal = await Assert.ThrowsAsync<CerverException>(() => connections.ReadSnapshotAsync<bool>(
            _ =>
            {
                attempts++;
                throw new NpgsqlException("Exception while reading from stream", cause);
            },
            CancellationToken.None));

        Assert.Equal(CerverError.StorageUnavailable, refusal.Code);
        Assert.Equal(isSlow ? 1 : 2, attempts);
        Assert.Equal(isSlow, process!.Equals(await database.ScalarAsync("select pg_backend_pid()")));
    }
}
