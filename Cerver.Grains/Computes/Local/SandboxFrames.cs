using System.Buffers.Binary;
using System.Text;
using Cerver.Errors;
using Cerver.Runs;

namespace Cerver.Grains.Computes.Local;

/// <summary>What a sandbox reports to the gateway. The numbers are those of sandbox-init.pl, which describes the frames.</summary>
internal enum SandboxReport : byte
{
    Ready = 1,
    Started = 2,
    Failed = 3,
    Stdout = 4,
    Stderr = 5,
    Exit = 6,
}

/// <summary>A frame that a sandbox sent.</summary>
/// <param name="Report">What it says. Not yet checked to be one of the enum.</param>
/// <param name="Process">The number of the process it is about.</param>
/// <param name="Payload">The rest, valid until the next frame is read.</param>
internal readonly record struct SandboxFrame(SandboxReport Report, uint Process, ReadOnlyMemory<byte> Payload);

/// <summary>Frames that the gateway sends to a sandbox.</summary>
internal static class SandboxFrames
{
    /// <summary>A frame counts this many bytes before its payload: its length, its type and the number of the process.</summary>
    public const int HeaderBytes = 9;

    /// <summary>The largest frame either side takes, in bytes without the four of its length.</summary>
    public const int MaxBytes = 1 << 20;

    private const byte StartType = 1;
    private const byte StopType = 2;

    /// <summary>The kernel takes 128 KiB for one variable, its name and the end of text included.</summary>
    private const int MaxVariableBytes = 128 * 1024;

    /// <summary>Starts code as the process of a number.</summary>
    /// <exception cref="CerverException">
    /// <see cref="CerverError.InvalidRequest"/> for a variable that no process can have,
    /// <see cref="CerverError.PayloadTooLarge"/> when code and environment together exceed 1 MiB.
    /// </exception>
    public static byte[] Start(uint process, SandboxRuntime runtime, string code, IReadOnlyDictionary<string, string> environment)
    {
        long size = HeaderBytes + 1 + 4 + Encoding.UTF8.GetByteCount(code);
        foreach (var (name, value) in environment)
        {
            size += 8 + CountVariable(name, value);
        }

        if (size - 4 > MaxBytes)
        {
            throw new CerverException(CerverError.PayloadTooLarge, "Code and environment together may have at most 1 MiB.");
        }

        var frame = new byte[size];
        WriteHeader(frame, StartType, process);
        frame[HeaderBytes] = (byte)runtime;
        var rest = WriteText(frame.AsSpan(HeaderBytes + 1), code);
        foreach (var (name, value) in environment)
        {
            rest = WriteText(rest, name);
            rest = WriteText(rest, value);
        }

        return frame;
    }

    /// <summary>Sends a signal, 15 or 9, to a process and to everything it started.</summary>
    public static byte[] Stop(uint process, byte signal)
    {
        var frame = new byte[HeaderBytes + 1];
        WriteHeader(frame, StopType, process);
        frame[HeaderBytes] = signal;
        return frame;
    }

    private static int CountVariable(string name, string value)
    {
        if (name.Length == 0 || name.Contains('=', StringComparison.Ordinal) || name.Contains('\0', StringComparison.Ordinal) || value.Contains('\0', StringComparison.Ordinal))
        {
            throw new CerverException(CerverError.InvalidRequest, "A variable needs a name without '=', and neither name nor value may hold a NUL.", "envs");
        }

        var size = Encoding.UTF8.GetByteCount(name) + Encoding.UTF8.GetByteCount(value);
        return size + 2 <= MaxVariableBytes
            ? size
            : throw new CerverException(CerverError.PayloadTooLarge, "One variable may have at most 128 KiB, name and value together.", "envs");
    }

    private static void WriteHeader(Span<byte> frame, byte type, uint process)
    {
        BinaryPrimitives.WriteInt32BigEndian(frame, frame.Length - 4);
        frame[4] = type;
        BinaryPrimitives.WriteUInt32BigEndian(frame[5..], process);
    }

    private static Span<byte> WriteText(Span<byte> target, string text)
    {
        var size = Encoding.UTF8.GetBytes(text, target[4..]);
        BinaryPrimitives.WriteInt32BigEndian(target, size);
        return target[(4 + size)..];
    }
}
