using System.Diagnostics;
using Cerver.Bench.Gateways;
using Cerver.Bench.Load;
using Microsoft.Data.Sqlite;

namespace Cerver.Bench.Sessions;

/// <summary>
/// One connection that inserts a transcript entry and commits, again and again: what SQLite gives when every row is made durable by
/// itself. The table is the gateway's, in a database of its own.
/// </summary>
internal sealed class BareSqlite : IDisposable
{
    private const string Schema = """
        pragma journal_mode = wal;
        pragma synchronous = full;

        create table transcript_entry (
            session_id text    not null,
            position   integer not null check (position >= 0),
            at         integer not null,
            role       integer not null check (role in (1, 2, 3, 4)),
            kind       text    not null,
            content    text,
            tool_id    text,
            tool_name  text,
            tool_input text,
            is_error   integer
        );

        create unique index transcript_entry_position on transcript_entry (session_id, position);
        """;

    private const string Insert = """
        insert into transcript_entry (session_id, position, at, role, kind, content, tool_id, tool_name, tool_input, is_error)
        values ($session_id, $position, $at, 1, 'text', $content, null, null, null, null)
        """;

    private readonly WorkDirectory _directory;
    private readonly SqliteConnection _connection;
    private readonly SqliteCommand _insert;
    private readonly SqliteParameter _position;
    private long _rows;

    /// <summary>Makes the database on the disk of the repository.</summary>
    public BareSqlite(Repository repository)
    {
        _directory = repository.MakeWorkDirectory();
        _connection = new($"Data Source={Path.Combine(_directory.Path, "bare.db")};Pooling=False");
        _connection.Open();
        using (var create = _connection.CreateCommand())
        {
            create.CommandText = Schema;
            create.ExecuteNonQuery();
        }

        _insert = _connection.CreateCommand();
        _insert.CommandText = Insert;
        _insert.Parameters.AddWithValue("$session_id", Guid.NewGuid().ToString());
        _insert.Parameters.AddWithValue("$at", TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds() * 1_000);
        _insert.Parameters.AddWithValue("$content", Entries.Content);
        _position = _insert.Parameters.Add("$position", SqliteType.Integer);
        _insert.Prepare();
    }

    /// <summary>Inserts for so long and returns the rows per second.</summary>
    public double Measure(TimeSpan duration)
    {
        var started = Stopwatch.GetTimestamp();
        var before = _rows;
        while (Stopwatch.GetElapsedTime(started) < duration)
        {
            _position.Value = _rows++;
            _insert.ExecuteNonQuery();
        }

        return (_rows - before) / Stopwatch.GetElapsedTime(started).TotalSeconds;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _insert.Dispose();
        _connection.Dispose();
        _directory.Dispose();
    }
}
