using System.Buffers.Binary;
using System.Buffers.Text;
using Cerver.Errors;
using Cerver.Search;

namespace Cerver.Api.Search;

/// <summary>A place in what a search found as one opaque word: a version, the window it is in, how many of its hits were given, and whether they match the whole query.</summary>
internal static class SearchCursorText
{
    private const byte Version = 1;
    private const int NewestAt = 1;
    private const int TakenAt = NewestAt + sizeof(long);
    private const int MatchedAt = TakenAt + sizeof(int);
    private const int Bytes = MatchedAt + 1;
    private const int Characters = 19;

    /// <summary>Writes a place down.</summary>
    public static string Write(SearchCursor cursor)
    {
        Span<byte> bytes = stackalloc byte[Bytes];
        bytes[0] = Version;
        BinaryPrimitives.WriteInt64BigEndian(bytes[NewestAt..], cursor.Newest);
        BinaryPrimitives.WriteInt32BigEndian(bytes[TakenAt..], cursor.Taken);
        bytes[MatchedAt] = cursor.MatchedAll ? (byte)1 : (byte)0;
        return Base64Url.EncodeToString(bytes);
    }

    /// <summary>Reads a place that we wrote.</summary>
    /// <exception cref="CerverException"><see cref="CerverError.InvalidRequest"/> for anything else.</exception>
    public static SearchCursor Parse(string text, string field)
    {
        Span<byte> bytes = stackalloc byte[Bytes];
        if (text.Length != Characters || !Base64Url.IsValid(text) || Base64Url.DecodeFromChars(text, bytes) != Bytes || bytes[0] != Version)
        {
            throw Refuse(field);
        }

        var cursor = new SearchCursor(
            BinaryPrimitives.ReadInt64BigEndian(bytes[NewestAt..]), BinaryPrimitives.ReadInt32BigEndian(bytes[TakenAt..]), MatchedAll: bytes[MatchedAt] == 1);
        return cursor is { Newest: >= 0, Taken: >= 0 } ? cursor : throw Refuse(field);
    }

    private static CerverException Refuse(string field) =>
        new(CerverError.InvalidRequest, $"'{field}' must be the 'next_cursor' of an answer before, unchanged.", field);
}
