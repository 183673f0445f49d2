using System.Globalization;
using System.Text;

namespace Cerver.Grains.Search;

/// <summary>
/// Takes texts apart into the words that are looked for. Words are runs of letters and digits; identifiers are taken apart where their case changes
/// (<c>parseJSON</c> is <c>parse</c>, <c>json</c> and, as a whole, <c>parsejson</c>). Scripts that are written without spaces, or whose words grow
/// endings (Chinese, Japanese, Korean, Thai and their neighbours), are taken apart into pairs: each character with the next, the last one of a run alone. Pure.
/// </summary>
/// <remarks>
/// Pairs and not triples, because most words of Chinese have two characters and no index of triples finds those; and no dictionary, as ICU has, because
/// it takes apart the query in another way than the text. Every character begins one pair, so one character is found as a prefix and longer runs as
/// pairs that follow each other.
/// </remarks>
internal static class WordReader
{
    private const int MaxCharacters = 64;

    private enum Kind
    {
        Separator,
        Letter,
        Paired,
    }

    /// <summary>The words of a text, in order.</summary>
    /// <param name="text">The text.</param>
    /// <param name="limit">How many words at most, parts of identifiers counted as words.</param>
    public static List<Word> Read(string text, int limit)
    {
        var words = new List<Word>(Math.Min(limit, (text.Length / 5) + 4));
        var position = 1;
        var at = 0;
        while (at < text.Length && position <= limit)
        {
            var kind = KindAt(text, at, out var length);
            var end = at + length;
            if (kind != Kind.Separator)
            {
                while (end < text.Length && KindAt(text, end, out length) == kind)
                {
                    end += length;
                }

                position = kind == Kind.Letter ? ReadLetters(text, at, end, position, words) : ReadPairs(text, at, end, position, limit, words);
            }

            at = end;
        }

        return words;
    }

    /// <summary>Whether a word is of a script that is taken apart into pairs.</summary>
    public static bool IsPaired(string word) => Rune.DecodeFromUtf16(word, out var rune, out _) == System.Buffers.OperationStatus.Done && IsPaired(rune.Value);

    private static int ReadLetters(string text, int start, int end, int position, List<Word> words)
    {
        var first = position;
        var partStart = start;
        for (var i = start + 1; i <= end; i++)
        {
            if (i == end || BreaksBefore(text, start, i, end))
            {
                position = Add(words, text, partStart, i, position, isWhole: false);
                partStart = i;
            }
        }

        if (position > first + 1)
        {
            Add(words, text, start, end, first, isWhole: true);
        }

        return position;
    }

    /// <summary>Where a part of an identifier begins: <c>fooBar</c>, <c>foo2Bar</c>, and before the last capital of <c>JSONParser</c>.</summary>
    private static bool BreaksBefore(string text, int start, int at, int end) =>
        char.IsUpper(text[at]) && at > start && (!char.IsUpper(text[at - 1]) || (at + 1 < end && char.IsLower(text[at + 1])));

    private static int ReadPairs(string text, int start, int end, int position, int limit, List<Word> words)
    {
        for (var at = start; at < end && position <= limit;)
        {
            var length = LengthAt(text, at);
            var next = at + length < end ? LengthAt(text, at + length) : 0;
            position = Add(words, text, at, at + length + next, position, isWhole: false);
            at += length;
        }

        return position;
    }

    private static int Add(List<Word> words, string text, int start, int end, int position, bool isWhole)
    {
        Span<char> folded = stackalloc char[MaxCharacters];
        var length = 0;
        for (var i = start; i < end && length < MaxCharacters; i++)
        {
            var character = LetterFolding.Fold(text[i]);
            if (character != LetterFolding.Nothing)
            {
                folded[length++] = character;
            }
        }

        if (length == MaxCharacters && char.IsHighSurrogate(folded[length - 1]))
        {
            length--;
        }

        if (length == 0)
        {
            return position;
        }

        words.Add(new Word(new string(folded[..length]), start, end - start, position, isWhole));
        return position + 1;
    }

    private static int LengthAt(string text, int at) => char.IsHighSurrogate(text[at]) && at + 1 < text.Length && char.IsLowSurrogate(text[at + 1]) ? 2 : 1;

    private static Kind KindAt(string text, int at, out int length)
    {
        length = 1;
        var character = text[at];
        if (char.IsAscii(character))
        {
            return char.IsAsciiLetterOrDigit(character) ? Kind.Letter : Kind.Separator;
        }

        _ = Rune.DecodeFromUtf16(text.AsSpan(at), out var rune, out length);
        if (IsPaired(rune.Value))
        {
            return Kind.Paired;
        }

        return Rune.GetUnicodeCategory(rune) switch
        {
            UnicodeCategory.UppercaseLetter or UnicodeCategory.LowercaseLetter or UnicodeCategory.TitlecaseLetter or UnicodeCategory.ModifierLetter
                or UnicodeCategory.OtherLetter or UnicodeCategory.NonSpacingMark or UnicodeCategory.SpacingCombiningMark or UnicodeCategory.EnclosingMark
                or UnicodeCategory.DecimalDigitNumber or UnicodeCategory.LetterNumber or UnicodeCategory.OtherNumber or UnicodeCategory.Format => Kind.Letter,
            _ => Kind.Separator,
        };
    }

    /// <summary>Thai, Lao, Myanmar, Khmer, Hangul, kana, Bopomofo, Yi and Han.</summary>
    private static bool IsPaired(int character) => character
        is (>= 0x0E00 and <= 0x0EFF) or (>= 0x1000 and <= 0x109F) or (>= 0x1100 and <= 0x11FF) or (>= 0x1780 and <= 0x17FF)
        or (>= 0x3005 and <= 0x3007) or (>= 0x3040 and <= 0x30FF) or (>= 0x3105 and <= 0x318F) or (>= 0x31A0 and <= 0x31BF) or (>= 0x31F0 and <= 0x31FF)
        or (>= 0x3400 and <= 0x4DBF) or (>= 0x4E00 and <= 0x9FFF) or (>= 0xA000 and <= 0xA4CF) or (>= 0xA960 and <= 0xA97F) or (>= 0xAC00 and <= 0xD7FF)
        or (>= 0xF900 and <= 0xFAFF) or (>= 0xFF66 and <= 0xFF9F) or (>= 0x20000 and <= 0x323AF);
}
