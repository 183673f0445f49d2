using System.Text;
using System.Text.Json;
using Cerver.Sessions;

namespace Cerver.Grains.Search;

/// <summary>What of an entry is searched: its content, the tool it names, and the texts in what the tool was called with. Pure.</summary>
internal static class SearchText
{
    /// <summary>The text of an entry, empty when it has none.</summary>
    /// <param name="entry">The entry. What its tool was called with may have been cut off.</param>
    public static string Of(TranscriptEntry entry)
    {
        if (entry.ToolName is null && entry.ToolInput is null)
        {
            return entry.Content ?? "";
        }

        var text = new StringBuilder(entry.Content);
        Append(text, entry.ToolName);
        if (entry.ToolInput is { } input)
        {
            AppendTexts(text, input);
        }

        return text.ToString();
    }

    /// <summary>The names and texts of a JSON object, without what JSON writes line ends and quotes as. Numbers are texts here.</summary>
    private static void AppendTexts(StringBuilder text, string json)
    {
        var reader = new Utf8JsonReader(Encoding.UTF8.GetBytes(json), isFinalBlock: false, state: default);
        try
        {
            while (reader.Read())
            {
                if (reader.TokenType is JsonTokenType.PropertyName or JsonTokenType.String)
                {
                    Append(text, reader.GetString());
                }
                else if (reader.TokenType == JsonTokenType.Number)
                {
                    Append(text, Encoding.UTF8.GetString(reader.ValueSpan));
                }
            }
        }
        catch (Exception mistake) when (mistake is JsonException or InvalidOperationException)
        {
            // Half a surrogate pair is valid JSON and no text. What came before it is searched.
            text.Append('\n');
        }
    }

    private static void Append(StringBuilder text, string? more)
    {
        if (!string.IsNullOrEmpty(more))
        {
            if (text.Length > 0)
            {
                text.Append('\n');
            }

            text.Append(more);
        }
    }
}
