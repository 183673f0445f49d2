using System.Buffers.Binary;
using System.Buffers.Text;
using Cerver.Errors;
using Cerver.Sessions;

namespace Cerver.Api.Sessions;

/// <summary>A place in the list of sessions as one opaque word: a version, when the session there was last active, and its id.</summary>
internal static class SessionCursorText
{
    private const byte Version = 1;
    private const int TimeAt = 1;
    private const int IdAt = TimeAt + sizeof(long);
    private const int Bytes = IdAt + 16;
    private const int Characters = 34;

    /// <summary>Writes a place down.</summary>
    public static string Write(SessionCursor cursor)
    {
        Span<byte> bytes = stackalloc byte[Bytes];
        bytes[0] = Version;
        BinaryPrimitives.WriteInt64BigEndian(bytes[TimeAt..], cursor.UpdatedAt.UtcTicks);
        Guid.ParseExact(cursor.SessionId, "d").TryWriteBytes(bytes[IdAt..], bigEndian: true, out _);
        return Base64Url.EncodeToString(bytes);
    }

    /// <summary>Reads a place that we wrote.</summary>
    /// <exception cref="CerverException"><see cref="CerverError.InvalidRequest"/> for anything else.</exception>
    public static SessionCursor Parse(string text, string field)
    {
        Span<byte> bytes = stackalloc byte[Bytes];
        if (text.Length != Characters || !Base64Url.IsValid(text) || Base64Url.DecodeFromChars(text, bytes) != Bytes || bytes[0] != Version)
        {
            throw Refuse(field);
        }

        var ticks = BinaryPrimitives.ReadInt64BigEndian(bytes[TimeAt..]);
        return ticks >= DateTimeOffset.MinValue.UtcTicks && ticks <= DateTimeOffset.MaxValue.UtcTicks
            ? new(new DateTimeOffset(ticks, TimeSpan.Zero), new Guid(bytes[IdAt..], bigEndian: true).ToString("d"))
            : throw Refuse(field);
    }

    private static CerverException Refuse(string field) =>
        new(CerverError.InvalidRequest, $"'{field}' must be the 'next_cursor' of an answer before, unchanged.", field);
}
