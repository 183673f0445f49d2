using System.Buffers.Binary;
using System.Buffers.Text;
using Cerver.Errors;
using Cerver.Secrets;

namespace Cerver.Api.Secrets;

/// <summary>A place in the list of accesses as one opaque word: a version, when the access there was, and its number.</summary>
internal static class SecretAccessCursorText
{
    private const byte Version = 1;
    private const int TimeAt = 1;
    private const int NumberAt = TimeAt + sizeof(long);
    private const int Bytes = NumberAt + sizeof(long);
    private const int Characters = 23;

    /// <summary>Writes a place down.</summary>
    public static string Write(SecretAccessCursor cursor)
    {
        Span<byte> bytes = stackalloc byte[Bytes];
        bytes[0] = Version;
        BinaryPrimitives.WriteInt64BigEndian(bytes[TimeAt..], cursor.At.UtcTicks);
        BinaryPrimitives.WriteInt64BigEndian(bytes[NumberAt..], cursor.Number);
        return Base64Url.EncodeToString(bytes);
    }

    /// <summary>Reads a place that we wrote.</summary>
    /// <exception cref="CerverException"><see cref="CerverError.InvalidRequest"/> for anything else.</exception>
    public static SecretAccessCursor Parse(string text, string field)
    {
        Span<byte> bytes = stackalloc byte[Bytes];
        if (text.Length != Characters || !Base64Url.IsValid(text) || Base64Url.DecodeFromChars(text, bytes) != Bytes || bytes[0] != Version)
        {
            throw Refuse(field);
        }

        var (ticks, number) = (BinaryPrimitives.ReadInt64BigEndian(bytes[TimeAt..]), BinaryPrimitives.ReadInt64BigEndian(bytes[NumberAt..]));
        return ticks >= DateTimeOffset.MinValue.UtcTicks && ticks <= DateTimeOffset.MaxValue.UtcTicks && number > 0
            ? new(new DateTimeOffset(ticks, TimeSpan.Zero), number)
            : throw Refuse(field);
    }

    private static CerverException Refuse(string field) =>
        new(CerverError.InvalidRequest, $"'{field}' must be the 'next_cursor' of an answer before, unchanged.", field);
}
