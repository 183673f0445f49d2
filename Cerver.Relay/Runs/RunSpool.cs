using System.Buffers.Binary;
using System.Text.Json;
using System.Text.Json.Serialization;
using Cerver.Grains.Computes.Relays;
using Cerver.Runs;

namespace Cerver.Relay.Runs;

/// <summary>
/// What happened in one run, in a file, in the order in which it happened: a line of JSON that says which run it is, then records of a byte that says what it is, a length of four
/// bytes and the data. One at a time may write; any number may read meanwhile.
/// </summary>
/// <remarks>
/// It outlives the relay, not the machine: nothing is flushed to the disk, because what runs here ends with the machine too. A record that was cut by a crash is dropped.
/// </remarks>
internal sealed class RunSpool : IDisposable
{
    /// <summary>The largest piece of output in a record.</summary>
    public const int MaxDataBytes = 64 * 1024;

    private const int HeadBytes = 5;
    private const byte EndKind = 9;
    private const byte TimedOutKind = 10;
    private const string Suffix = ".run";

    private readonly string _path;
    private readonly FileStream _file;
    private readonly Lock _gate = new();
    private TaskCompletionSource _grown = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private long _length;
    private bool _isClosed;

    private RunSpool(string path, RelayedRun run, FileStream file, long first)
    {
        (_path, Run, _file, FirstPosition) = (path, run, file, first);
        _length = first;
    }

    /// <summary>Which run it is.</summary>
    public RelayedRun Run { get; }

    /// <summary>Where the first record stands.</summary>
    public long FirstPosition { get; }

    /// <summary>How many records there are.</summary>
    public long Head { get; private set; }

    /// <summary>Whether the last record is the run's end.</summary>
    public bool IsComplete { get; private set; }

    /// <summary>Makes an empty one.</summary>
    public static RunSpool Create(string directory, RelayedRun run)
    {
        var path = Path.Combine(directory, run.RunId + Suffix);
        var file = Open(path, FileMode.CreateNew);
        file.Write(JsonSerializer.SerializeToUtf8Bytes(run, SpoolJson.Default.RelayedRun));
        file.WriteByte((byte)'\n');
        file.Flush();
        return new RunSpool(path, run, file, file.Position);
    }

    /// <summary>Those that another process left in a directory.</summary>
    public static IEnumerable<RunSpool> Reopen(string directory) =>
        Directory.EnumerateFiles(directory, "*" + Suffix).Select(ReopenFile).OfType<RunSpool>();

    /// <summary>Adds a piece of output.</summary>
    public void Add(OutputKind kind, ReadOnlySpan<byte> data) => Write((byte)kind, data);

    /// <summary>Adds the end of the run.</summary>
    /// <param name="exitCode">How the program ended, or null when nobody knows.</param>
    /// <param name="timedOut">Whether it was ended because its time was over.</param>
    public void Complete(int? exitCode, bool timedOut)
    {
        Span<byte> data = stackalloc byte[sizeof(int)];
        BinaryPrimitives.WriteInt32LittleEndian(data, exitCode ?? 0);
        Write(timedOut ? TimedOutKind : EndKind, exitCode is null ? [] : data);
    }

    /// <summary>Reads records from a position on, as they come, until the run's end.</summary>
    public async IAsyncEnumerable<RelayEvent> ReadAsync(long after, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await using var file = new FileStream(_path, new FileStreamOptions { Share = FileShare.ReadWrite | FileShare.Delete, Options = FileOptions.Asynchronous });
        file.Position = FirstPosition;
        for (var sequence = 1L; ; sequence++)
        {
            await WaitAsync(file.Position, cancellationToken);
            var (kind, data) = await ReadRecordAsync(file, cancellationToken);
            if (sequence > after)
            {
                yield return EventOf(sequence, kind, data);
            }

            if (IsEnd(kind))
            {
                yield break;
            }
        }
    }

    /// <summary>Removes the file.</summary>
    public void Delete()
    {
        Dispose();
        File.Delete(_path);
    }

    /// <summary>What comes after this is left out: a program is read to its end also when nobody wants it, because it would hold up others in its sandbox.</summary>
    public void Dispose()
    {
        lock (_gate)
        {
            _isClosed = true;
            _file.Dispose();
        }
    }

    private static FileStream Open(string path, FileMode mode) => new(path, new FileStreamOptions
    {
        Mode = mode,
        Access = FileAccess.ReadWrite,
        Share = FileShare.ReadWrite | FileShare.Delete,
        UnixCreateMode = mode == FileMode.CreateNew ? UnixFileMode.UserRead | UnixFileMode.UserWrite : null,
    });

    private static RunSpool? ReopenFile(string path)
    {
        var file = Open(path, FileMode.Open);
        var content = new byte[file.Length];
        file.ReadExactly(content);
        var end = Array.IndexOf(content, (byte)'\n');
        if (end < 0 || JsonSerializer.Deserialize(content.AsSpan(0, end), SpoolJson.Default.RelayedRun) is not { } run)
        {
            // The relay was killed before the run was started.
            file.Dispose();
            File.Delete(path);
            return null;
        }

        var spool = new RunSpool(path, run, file, end + 1);
        var position = end + 1;
        while (content.Length - position >= HeadBytes && LengthAt(content, position) is var length && content.Length - position - HeadBytes >= length)
        {
            spool.Head++;
            spool.IsComplete = IsEnd(content[position]);
            position += HeadBytes + length;
        }

        file.SetLength(position);
        spool._length = position;
        return spool;
    }

    private static int LengthAt(ReadOnlySpan<byte> content, int position) => BinaryPrimitives.ReadInt32LittleEndian(content[(position + 1)..]);

    private static async Task<(byte Kind, byte[] Data)> ReadRecordAsync(FileStream file, CancellationToken cancellationToken)
    {
        var head = new byte[HeadBytes];
        await file.ReadExactlyAsync(head, cancellationToken);
        var data = new byte[LengthAt(head, 0)];
        await file.ReadExactlyAsync(data, cancellationToken);
        return (head[0], data);
    }

    private static bool IsEnd(byte kind) => kind is EndKind or TimedOutKind;

    private RelayEvent EventOf(long sequence, byte kind, byte[] data) => IsEnd(kind)
        ? new RelayEvent(
            RelayWords.End,
            Run.SandboxId,
            Run.RunId,
            sequence,
            ExitCode: data.Length == 0 ? null : BinaryPrimitives.ReadInt32LittleEndian(data),
            TimedOut: kind == TimedOutKind ? true : null)
        : new RelayEvent(RelayWords.Output, Run.SandboxId, Run.RunId, sequence, kind == (byte)OutputKind.Stdout ? RelayWords.Stdout : RelayWords.Stderr, data);

    /// <summary>Waits until there is a whole record at a position.</summary>
    private async Task WaitAsync(long position, CancellationToken cancellationToken)
    {
        while (true)
        {
            Task grown;
            lock (_gate)
            {
                if (_length > position)
                {
                    return;
                }

                grown = _grown.Task;
            }

            await grown.WaitAsync(cancellationToken);
        }
    }

    private void Write(byte kind, ReadOnlySpan<byte> data)
    {
        var record = new byte[HeadBytes + data.Length];
        record[0] = kind;
        BinaryPrimitives.WriteInt32LittleEndian(record.AsSpan(1), data.Length);
        data.CopyTo(record.AsSpan(HeadBytes));
        TaskCompletionSource grown;
        lock (_gate)
        {
            if (_isClosed)
            {
                return;
            }

            RandomAccess.Write(_file.SafeFileHandle, record, _length);
            _length += record.Length;
            Head++;
            IsComplete = IsEnd(kind);
            (grown, _grown) = (_grown, new(TaskCreationOptions.RunContinuationsAsynchronously));
        }

        grown.SetResult();
    }
}

/// <summary>A run that a gateway had started here.</summary>
/// <param name="RunId">Its id.</param>
/// <param name="SandboxId">Where it runs.</param>
/// <param name="SessionId">The session that it belongs to.</param>
internal sealed record RelayedRun(string RunId, string SandboxId, string SessionId);

/// <summary>How it is written.</summary>
[JsonSerializable(typeof(RelayedRun))]
internal sealed partial class SpoolJson : JsonSerializerContext;
