using System.Buffers;
using System.Diagnostics;
using System.Text;
using System.Text.Json;
using Cerver.Bench.Gateways;
using Cerver.Bench.Load;

namespace Cerver.Bench.Runs;

/// <summary>One connection that reads the output of runs as streams of events, live or later.</summary>
internal sealed class RunStream : IDisposable
{
    private const int MaxLineBytes = 1024 * 1024;

    private readonly HttpConnection _connection;
    private readonly ArrayBufferWriter<byte> _line = new();
    private readonly TaskCompletionSource<string> _begun = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private byte[] _text = [];
    private string _event = string.Empty;
    private long _bytes;
    private int? _exitCode;

    private RunStream(HttpConnection connection) => _connection = connection;

    /// <summary>Takes each piece of stdout as it comes.</summary>
    public delegate void TakePrinted(ReadOnlySpan<byte> text);

    /// <summary>Takes what is printed, or null.</summary>
    public TakePrinted? Printed { get; init; }

    /// <summary>The id of the first run that was read, as soon as its first event is there.</summary>
    public Task<string> Begun => _begun.Task;

    /// <summary>Connects.</summary>
    public static async Task<RunStream> OpenAsync(Gateway gateway, CancellationToken cancellationToken, TakePrinted? printed = null) =>
        new(await HttpConnection.OpenAsync(gateway.Endpoint, cancellationToken)) { Printed = printed };

    /// <summary>The request that runs code in the sandbox of a session and streams what it prints.</summary>
    public static ReadOnlyMemory<byte> Start(Gateway gateway, string session, string code, string runtime = "shell") =>
        gateway.Request("POST", $"/v2/sessions/{session}/run/stream", JsonSerializer.Serialize(new { code, runtime }));

    /// <summary>The request that streams what a run printed and prints, from its beginning.</summary>
    public static ReadOnlyMemory<byte> Watch(Gateway gateway, string session, string run) =>
        gateway.Request("GET", $"/v2/sessions/{session}/runs/{run}/stream");

    /// <summary>Sends a request and reads the events to the end of the run.</summary>
    /// <exception cref="BenchException">It failed, or the stream did not end with its exit.</exception>
    public async Task<OutputResult> ReadAsync(ReadOnlyMemory<byte> request, CancellationToken cancellationToken)
    {
        var result = await ReadToEndAsync(request, cancellationToken);
        return _exitCode == 0
            ? result
            : throw new BenchException($"The run did not end well: its exit code is '{_exitCode}' and the last event '{_event}'.");
    }

    /// <summary>Sends a request and reads the events to the end of the run, whatever that is.</summary>
    /// <exception cref="BenchException">It was refused.</exception>
    public async Task<OutputResult> ReadToEndAsync(ReadOnlyMemory<byte> request, CancellationToken cancellationToken)
    {
        _bytes = 0;
        _exitCode = null;
        var started = Stopwatch.GetTimestamp();
        var first = TimeSpan.Zero;
        var status = await _connection.SendAsync(request, cancellationToken);
        if (status is < 200 or > 299)
        {
            throw new BenchException($"A stream of events was answered with {status}.");
        }

        while (await _connection.ReadBodyAsync(cancellationToken) is { IsEmpty: false } piece)
        {
            Take(piece.Span);
            first = first == TimeSpan.Zero && _bytes > 0 ? Stopwatch.GetElapsedTime(started) : first;
        }

        return new(_bytes, first, Stopwatch.GetElapsedTime(started));
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
                case "run" when Find(ref json, "run_id"u8):
                    _begun.TrySetResult(json.GetString() ?? string.Empty);
                    break;
                case "stdout" when Find(ref json, "data"u8):
                    TakePrintedText(ref json);
                    break;
                case "exit" when Find(ref json, "exit_code"u8):
                    // Of a run that was cancelled or lost nobody knows it.
                    _exitCode = json.TokenType == JsonTokenType.Null ? null : json.GetInt32();
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

    private void TakePrintedText(ref Utf8JsonReader json)
    {
        if (_text.Length < json.ValueSpan.Length)
        {
            _text = new byte[json.ValueSpan.Length];
        }

        var length = json.CopyString(_text);
        _bytes += length;
        Printed?.Invoke(_text.AsSpan(0, length));
    }
}
