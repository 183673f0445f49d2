using System.Text;
using Cerver.Errors;

namespace Cerver.Computes;

/// <summary>
/// Where a file is in a sandbox's workspace: names with slashes in between. Names are bytes and not text, because programs may give any; whatever has no empty
/// name, no <c>.</c> and no <c>..</c> names something in the workspace or nothing.
/// </summary>
/// <param name="Bytes">The path; empty for the workspace itself. <see cref="Parse"/> makes sure of the rest.</param>
[GenerateSerializer, Immutable, Alias("cerver.compute.path")]
public sealed record SandboxPath([property: Id(0)] ImmutableArray<byte> Bytes)
{
    /// <summary>The longest path, in bytes: as much as a system call takes.</summary>
    public const int MaxBytes = 4_095;

    /// <summary>The longest name within a path, in bytes: as much as file systems take.</summary>
    public const int MaxNameBytes = 255;

    private const string Field = "path";

    /// <summary>The workspace.</summary>
    public static SandboxPath Root { get; } = new(ImmutableArray<byte>.Empty);

    /// <summary>Whether this is the workspace itself.</summary>
    public bool IsRoot => Bytes.IsEmpty;

    /// <summary>The last name; empty for the workspace.</summary>
    public ReadOnlySpan<byte> Name => Bytes.AsSpan()[(Bytes.AsSpan().LastIndexOf((byte)'/') + 1)..];

    /// <summary>What the last name is in: a path, empty when that is the workspace.</summary>
    public ReadOnlySpan<byte> Parent => Bytes.AsSpan()[..Math.Max(Bytes.AsSpan().LastIndexOf((byte)'/'), 0)];

    /// <summary>Reads a path.</summary>
    /// <exception cref="CerverException"><see cref="CerverError.InvalidRequest"/> says what is wrong with it.</exception>
    public static SandboxPath Parse(ReadOnlySpan<byte> bytes)
    {
        if (bytes.IsEmpty)
        {
            return Root;
        }

        if (bytes.Length > MaxBytes)
        {
            throw Refuse($"must have at most {MaxBytes} bytes.");
        }

        if (bytes.Contains((byte)0))
        {
            throw Refuse("must not contain the character U+0000.");
        }

        foreach (var range in bytes.Split((byte)'/'))
        {
            CheckName(bytes[range]);
        }

        return new([.. bytes]);
    }

    /// <summary>Makes sure that the path names something in the workspace.</summary>
    /// <exception cref="CerverException"><see cref="CerverError.InvalidRequest"/> when it is the workspace itself.</exception>
    public void RequireNamed()
    {
        if (IsRoot)
        {
            throw Refuse("must name something in the workspace, not the workspace itself.");
        }
    }

    /// <summary>The path as text, in which U+FFFD stands for what is not UTF-8.</summary>
    public override string ToString() => Encoding.UTF8.GetString(Bytes.AsSpan());

    private static void CheckName(ReadOnlySpan<byte> name)
    {
        if (name.IsEmpty)
        {
            throw Refuse("must have no empty name: no slash at its beginning or end, and no two in a row.");
        }

        if (name.SequenceEqual("."u8) || name.SequenceEqual(".."u8))
        {
            throw Refuse("must not have '.' or '..' for a name; say where the file is from the workspace on.");
        }

        if (name.Length > MaxNameBytes)
        {
            throw Refuse($"must have no name of more than {MaxNameBytes} bytes.");
        }
    }

    private static CerverException Refuse(string rule) => new(CerverError.InvalidRequest, $"'{Field}' {rule}", Field);
}
