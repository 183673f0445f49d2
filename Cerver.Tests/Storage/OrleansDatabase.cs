using System.Data.Common;

namespace Cerver.Tests.Storage;

/// <summary>A real database of the test's own with what Orleans keeps in it.</summary>
internal sealed class OrleansDatabase : IAsyncDisposable
{
    private readonly TemporaryDatabase? _sqlite;
    private readonly PostgresTestDatabase? _postgres;

    private OrleansDatabase(TemporaryDatabase? sqlite, PostgresTestDatabase? postgres) => (_sqlite, _postgres) = (sqlite, postgres);

    /// <summary>The name by which the ADO.NET providers of Orleans know the driver.</summary>
    public string Invariant => _sqlite is null ? "Npgsql" : "System.Data.SQLite";

    public string ConnectionString => _sqlite?.Database.ConnectionString ?? _postgres!.ConnectionString;

    public static async Task<OrleansDatabase> CreateAsync(TestedDatabase tested) => tested == TestedDatabase.Sqlite
        ? new OrleansDatabase(new TemporaryDatabase("orleans_"), postgres: null)
        : new OrleansDatabase(sqlite: null, await PostgresTestDatabase.CreateAsync());

    public async Task<DbConnection> OpenAsync() => _sqlite is null ? await _postgres!.Source.OpenConnectionAsync() : _sqlite.Database.Open();

    public async Task<object?> ScalarAsync(string text) => _sqlite is null ? await _postgres!.ScalarAsync(text) : _sqlite.Scalar(text);

    /// <summary>The statement behind a key.</summary>
    public async Task<string> QueryAsync(string key) => (string)(await ScalarAsync($"select QueryText from OrleansQuery where QueryKey = '{key}'"))!;

    public async ValueTask DisposeAsync()
    {
        _sqlite?.Dispose();
        if (_postgres is not null)
        {
            await _postgres.DisposeAsync();
        }
    }
}
