using System.Globalization;
using System.Runtime.InteropServices;
using Cerver.Errors;

namespace Cerver.Api.Mcp;

/// <summary>Where to look into a transcript.</summary>
/// <param name="Index">A position; null is the end.</param>
/// <param name="IsBackward">Whether to look at what is before it, and not at it and what comes after.</param>
[StructLayout(LayoutKind.Auto)]
internal readonly record struct PeekCursor(long? Index, bool IsBackward)
{
    private const string BackwardPrefix = "before:";
    private const string ForwardPrefix = "from:";

    /// <summary>The entry of a position and those after it.</summary>
    public static PeekCursor From(long index) => new(index, IsBackward: false);

    /// <summary>The entries before a position.</summary>
    public static PeekCursor Before(long index) => new(index, IsBackward: true);

    /// <summary>Reads what <see cref="ToString"/> wrote; null and nothing are the end of the transcript.</summary>
    /// <exception cref="CerverException"><see cref="CerverError.InvalidRequest"/> for anything else.</exception>
    public static PeekCursor Parse(string? text, string field) => text switch
    {
        null or "" => new(Index: null, IsBackward: true),
        _ when IndexAfter(BackwardPrefix, text) is { } index => Before(index),
        _ when IndexAfter(ForwardPrefix, text) is { } index => From(index),
        _ => throw new CerverException(CerverError.InvalidRequest, $"'{field}' must be the next_cursor of an answer before, unchanged.", field),
    };

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{(IsBackward ? BackwardPrefix : ForwardPrefix)}{Index}");

    private static long? IndexAfter(string prefix, string text) =>
        text.StartsWith(prefix, StringComparison.Ordinal) && long.TryParse(text.AsSpan(prefix.Length), NumberStyles.None, CultureInfo.InvariantCulture, out var index)
            ? index
            : null;
}
