using System.Buffers;
using System.Text;
using System.Text.Json;

namespace Cerver.Api.Requests;

/// <summary>Reads RFC 3339: a date, a time of day and an offset from UTC. A time without an offset would be a guess.</summary>
internal static class TimestampText
{
    /// <summary>What is wrong with a text that is none. It goes on where the name of the field ends.</summary>
    public const string Rule = "must be a time as RFC 3339 writes it, such as 2026-05-01T12:00:00Z.";

    /// <summary>The shortest: seconds and <c>Z</c>.</summary>
    private const int MinLength = 20;

    /// <summary>More than any clock says.</summary>
    private const int MaxLength = 40;

    private static readonly SearchValues<char> Characters = SearchValues.Create("0123456789-:.TZ+");

    /// <summary>The time in UTC that the reader stands on.</summary>
    public static bool TryRead(ref Utf8JsonReader reader, out DateTimeOffset time)
    {
        time = default;
        if (reader.TokenType != JsonTokenType.String || !reader.TryGetDateTimeOffset(out var read))
        {
            return false;
        }

        var text = reader.GetString()!;
        time = read.ToUniversalTime();
        return text.Length >= MinLength && (text[^1] == 'Z' || text[^6] is '+' or '-');
    }

    /// <summary>The time in UTC that a text is.</summary>
    public static bool TryParse(string text, out DateTimeOffset time)
    {
        time = default;
        if (text.Length is < MinLength or > MaxLength || text.AsSpan().ContainsAnyExcept(Characters))
        {
            return false;
        }

        var reader = new Utf8JsonReader(Encoding.ASCII.GetBytes($"\"{text}\""));
        return reader.Read() && TryRead(ref reader, out time);
    }
}
