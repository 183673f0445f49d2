using System.Buffers.Text;
using Cerver.Computes;
using Cerver.Errors;

namespace Cerver.Api.Files;

/// <summary>A place in a directory as one opaque word: the name after which the next page begins.</summary>
internal static class FileCursorText
{
    /// <summary>Writes down where the page after a listing begins; null when there is none.</summary>
    public static string? WriteNext(FileListing listing) => listing.Next.IsEmpty ? null : Base64Url.EncodeToString(listing.Next.AsSpan());

    /// <summary>Reads a place that we wrote.</summary>
    /// <exception cref="CerverException"><see cref="CerverError.InvalidRequest"/> for anything else.</exception>
    public static ImmutableArray<byte> Parse(string text, string field) =>
        text.Length <= Base64Url.GetEncodedLength(SandboxPath.MaxNameBytes) && Base64Url.IsValid(text)
            ? [.. Base64Url.DecodeFromChars(text)]
            : throw new CerverException(CerverError.InvalidRequest, $"'{field}' must be the 'next_cursor' of an answer before, unchanged.", field);
}
