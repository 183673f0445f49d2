using System.Globalization;
using System.Runtime.InteropServices;
using Cerver.Errors;

namespace Cerver.Api.Mcp;

/// <summary>Where to go on with a transcript as text: <c>INDEX</c>, or <c>INDEX:SKIP</c> in the middle of a long entry.</summary>
/// <param name="Index">The position of an entry.</param>
/// <param name="Skip">How many bytes of its text were given already.</param>
[StructLayout(LayoutKind.Auto)]
internal readonly record struct ExportCursor(long Index, int Skip)
{
    /// <summary>Reads a place; null and nothing are the beginning.</summary>
    /// <exception cref="CerverException"><see cref="CerverError.InvalidRequest"/> for anything else.</exception>
    public static ExportCursor? Parse(string? text, string field)
    {
        if (string.IsNullOrEmpty(text))
        {
            return null;
        }

        var colon = text.IndexOf(':', StringComparison.Ordinal);
        var indexText = colon < 0 ? text : text[..colon];
        var skip = 0;
        return long.TryParse(indexText, NumberStyles.None, CultureInfo.InvariantCulture, out var index)
            && (colon < 0 || int.TryParse(text[(colon + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out skip))
            ? new ExportCursor(index, skip)
            : throw new CerverException(CerverError.InvalidRequest, $"'{field}' must be the cursor that an answer before named, or the index of an entry.", field);
    }

    public override string ToString() => Skip == 0
        ? Index.ToString(CultureInfo.InvariantCulture)
        : string.Create(CultureInfo.InvariantCulture, $"{Index}:{Skip}");
}
