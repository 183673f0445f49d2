using System.Buffers;
using System.Diagnostics;
using System.Text;
using System.Text.Json;
using Cerver.Bench.Gateways;
using Cerver.Bench.Load;

namespace Cerver.Bench.Runs;

/// <summary>Runs code in the sandbox of one session and reads its output live, as a stream of events.</summary>
internal sealed class RunStream : IDisposable
{
    private const int MaxLineBytes = 1024 * 1024;

    private readonly Gateway _gateway;
    private readonly string _path;
    private readonly HttpConnection _connection;
    private readonly ArrayBufferWriter<byte> _line = new();
    private byte[] _text = [];
    private string _event = string.Empty;
    private long _bytes;
    private int? _exitCode;

    private RunStream(Gateway gateway, string path, HttpConnection connection)
    {
        _gateway = gateway;
        _path = path;
        _connection = connection;
    }

    /// <summary>Connects to the gateway for the session.</summary>
    public static async Task<RunStream> OpenAsync(Gateway gateway, string session, CancellationToken cancellationToken) =>
        new(gateway, $"/v2/sessions/{session}/run/stream", await HttpConnection.OpenAsync(gateway.Endpoint, cancellationToken));

    /// <summary>Runs code and reads what it prints.</summary>
    /// <exception cref="BenchException">It failed, or the stream did not end with its exit.</exception>
    public async Task<OutputResult> ReadAsync(string code, CancellationToken cancellationToken)
    {
        _bytes = 0;
        _exitCode = null;
        var request = _gateway.Request("POST", _path, JsonSerializer.Serialize(new { code }));
        var started = Stopwatch.GetTimestamp();
        var first = TimeSpan.Zero;
        var status = await _connection.SendAsync(request, cancellationToken);
        if (status is < 200 or > 299)
        {
            throw new BenchException($"{_path} answered {status}.");
        }

        while (await _connection.ReadBodyAsync(cancellationToken) is { IsEmpty: false } piece)
        {
            Take(piece.Span);
            first = first == TimeSpan.Zero && _bytes > 0 ? Stopwatch.GetElapsedTime(started) : first;
        }

        return _exitCode == 0
            ? new(_bytes, first, Stopwatch.GetElapsedTime(started))
            : throw new BenchException($"The run did not end well: its exit code is '{_exitCode}' and the last event '{_event}'.");
    }

    /// <inheritdoc/>
    public void Dispose() => _connection.Dispose();

    private void Take(ReadOnlySpan<byte> piece)
    {
        int end;
        while ((end = piece.IndexOf((byte)'\n')) >= 0)
        {
            if (_line.WrittenCount == 0)
            {
                TakeLine(piece[..end]);
            }
            else
            {
                _line.Write(piece[..end]);
                TakeLine(_line.WrittenSpan);
                _line.ResetWrittenCount();
            }

            piece = piece[(end + 1)..];
        }

        if (_line.WrittenCount + piece.Length > MaxLineBytes)
        {
            throw new BenchException($"A line of the stream is longer than {MaxLineBytes} bytes.");
        }

        _line.Write(piece);
    }

    private void TakeLine(ReadOnlySpan<byte> line)
    {
        if (line.StartsWith("event: "u8))
        {
            _event = Encoding.UTF8.GetString(line["event: "u8.Length..]);
        }
        else if (line.StartsWith("data: "u8))
        {
            var json = new Utf8JsonReader(line["data: "u8.Length..]);
            switch (_event)
            {
                case "stdout" when Find(ref json, "data"u8):
                    _bytes += LengthOf(ref json);
                    break;
                case "exit" when Find(ref json, "exit_code"u8):
                    _exitCode = json.GetInt32();
                    break;
            }
        }
    }

    private static bool Find(ref Utf8JsonReader json, ReadOnlySpan<byte> property)
    {
        while (json.Read())
        {
            if (json.TokenType == JsonTokenType.PropertyName && json.ValueTextEquals(property))
            {
                return json.Read();
            }
        }

        return false;
    }

    private int LengthOf(ref Utf8JsonReader json)
    {
        if (_text.Length < json.ValueSpan.Length)
        {
            _text = new byte[json.ValueSpan.Length];
        }

        return json.CopyString(_text);
    }
}
