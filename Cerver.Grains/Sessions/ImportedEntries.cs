using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Unicode;
using Cerver.Sessions;

namespace Cerver.Grains.Sessions;

/// <summary>Cuts entries that were written elsewhere to what a session takes. What is cut says so. Pure.</summary>
internal static class ImportedEntries
{
    private const string CutMember = "cut";

    private static readonly JsonSerializerOptions Plain = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>The entries, none of them beyond a limit.</summary>
    public static ImmutableArray<TranscriptEntry> Fit(ImmutableArray<TranscriptEntry> entries, SessionLimits limits) =>
        ImmutableArray.CreateRange(entries, entry => entry with
        {
            Kind = CutWord(entry.Kind, SessionRules.MaxKindCharacters) is { Length: > 0 } kind ? kind : EntryKinds.Text,
            Content = CutText(entry.Content, limits.MaxEntryBytes),
            ToolId = CutWord(entry.ToolId, SessionRules.MaxWordCharacters),
            ToolName = CutWord(entry.ToolName, SessionRules.MaxWordCharacters),
            ToolInput = CutInput(entry.ToolInput, limits.MaxEntryBytes),
        });

    private static string? CutText(string? text, int maxBytes)
    {
        if (text is null || !IsLonger(text, maxBytes, out var bytes))
        {
            return text;
        }

        var mark = $"\n{MarkOf(bytes, maxBytes)}";
        return Beginning(text, maxBytes - Encoding.UTF8.GetByteCount(mark)) + mark;
    }

    /// <summary>An object without its end is none, so what is kept of it becomes a text in another one.</summary>
    private static string? CutInput(string? json, int maxBytes)
    {
        if (json is null || !IsLonger(json, maxBytes, out var bytes))
        {
            return json;
        }

        // Written as a text within JSON it is at most three times as long, as it has no control characters that are not escaped already.
        var mark = MarkOf(bytes, maxBytes);
        var kept = Beginning(json, (maxBytes - Encoding.UTF8.GetByteCount(mark) - CutMember.Length) / 3 - 8);
        return JsonSerializer.Serialize(new Dictionary<string, string>(StringComparer.Ordinal) { [CutMember] = kept + mark }, Plain);
    }

    private static string? CutWord(string? word, int maxCharacters) => word?.Length > maxCharacters
        ? word[..(char.IsHighSurrogate(word[maxCharacters - 1]) ? maxCharacters - 1 : maxCharacters)]
        : word;

    private static string MarkOf(int bytes, int maxBytes) => string.Create(
        CultureInfo.InvariantCulture, $"[Cut when it was imported: this had {bytes} bytes, and an entry holds at most {maxBytes}.]");

    /// <summary>A character takes at most three bytes, so most texts need not be counted.</summary>
    private static bool IsLonger(string text, int maxBytes, out int bytes)
    {
        bytes = text.Length > maxBytes / 3 ? Encoding.UTF8.GetByteCount(text) : 0;
        return bytes > maxBytes;
    }

    /// <summary>As many whole characters of the beginning as fit.</summary>
    private static string Beginning(string text, int maxBytes)
    {
        Utf8.FromUtf16(text, new byte[maxBytes], out var characters, out _);
        return text[..characters];
    }
}
