using System.Globalization;
using System.Text;
using Cerver.Secrets;

namespace Cerver.Grains.Secrets.Redaction;

/// <summary>The forms in which programs show a value, but for escapes, which <see cref="EscapedText"/> takes away. Pure.</summary>
/// <remarks>
/// Each form is a run of bytes. Those of base64 and hexadecimal digits may be broken into lines anywhere, as <c>base64</c> and <c>xxd</c> do. What
/// is not here is not found: compressed and encrypted values, those that are taken apart with something put between, other encodings of text.
/// </remarks>
internal static class SecretForms
{
    /// <summary>What is longer is not handed out, in bytes of UTF-8.</summary>
    public const int MaxBytes = 32 * 1024;

    private const int MinLineCharacters = 16;
    private const int MaxLines = 500;

    /// <summary>All forms of a value, each once.</summary>
    public static IReadOnlyCollection<SecretForm> Of(string value)
    {
        var text = value.Trim();
        var bytes = Encoding.UTF8.GetBytes(text);
        return InText(text).Concat(text.Split('\n', MaxLines + 1).Take(MaxLines).Select(static line => line.Trim()).Where(IsTelling)).Concat(InDigits(bytes))
            .Select(static form => new SecretForm(Encoding.UTF8.GetBytes(form), MayBreak: false))
            .Concat(InBase64(bytes))

            // With other line ends a value may become too short to be told from other text.
            .Where(static form => form.Bytes.Length >= Secret.MinRedactedCharacters)
            .ToHashSet();
    }

    private static IEnumerable<string> InText(string text)
    {
        yield return text;
        yield return text.ReplaceLineEndings("\n");
        yield return text.ReplaceLineEndings("\r\n");

        // In forms, as shells, SQL and CSV quote it, in XML, and backwards.
        yield return text.Replace(' ', '+');
        yield return text.Replace("'", "'\\''", StringComparison.Ordinal);
        yield return text.Replace("'", "'\"'\"'", StringComparison.Ordinal);
        yield return text.Replace("'", "''", StringComparison.Ordinal);
        yield return text.Replace("\"", "\"\"", StringComparison.Ordinal);
        var xml = text.Replace("&", "&amp;", StringComparison.Ordinal).Replace("<", "&lt;", StringComparison.Ordinal).Replace(">", "&gt;", StringComparison.Ordinal);
        yield return xml;
        yield return xml.Replace("\"", "&quot;", StringComparison.Ordinal);
        foreach (var (doubleQuote, singleQuote) in ((string, string)[])[("&quot;", "&#39;"), ("&quot;", "&#x27;"), ("&quot;", "&#039;"), ("&quot;", "&apos;"), ("&#34;", "&#39;")])
        {
            yield return xml.Replace("\"", doubleQuote, StringComparison.Ordinal).Replace("'", singleQuote, StringComparison.Ordinal);
        }

        yield return string.Concat(text.EnumerateRunes().Reverse().Select(static rune => rune.ToString()));
    }

    /// <summary>A line of a key says much of it, but not the lines around it, which are the same for all keys.</summary>
    private static bool IsTelling(string line) => line.Length >= MinLineCharacters && !line.StartsWith("-----", StringComparison.Ordinal);

    private static IEnumerable<string> InDigits(byte[] bytes)
    {
        foreach (var format in (string[])["{0:x2} ", "{0:X2} ", "{0:x2}:", "{0:X2}:"])
        {
            yield return string.Concat(bytes.Select(value => string.Format(CultureInfo.InvariantCulture, format, value))).TrimEnd(' ', ':');
        }
    }

    /// <summary>
    /// In base64 a value begins at one of three places within a group of four characters. The characters that it shares with what is before and after it
    /// are left out.
    /// </summary>
    private static IEnumerable<SecretForm> InBase64(byte[] bytes)
    {
        yield return new SecretForm(Encoding.ASCII.GetBytes(Convert.ToHexStringLower(bytes)), MayBreak: true);
        yield return new SecretForm(Encoding.ASCII.GetBytes(Convert.ToHexString(bytes)), MayBreak: true);
        for (var before = 0; before < 3; before++)
        {
            byte[] shifted = [.. new byte[before], .. bytes];
            var first = ((before * 8) + 5) / 6;
            var encoded = Convert.ToBase64String(shifted)[first..(shifted.Length * 8 / 6)];
            yield return new SecretForm(Encoding.ASCII.GetBytes(encoded), MayBreak: true);
            yield return new SecretForm(Encoding.ASCII.GetBytes(encoded.Replace('+', '-').Replace('/', '_')), MayBreak: true);
        }
    }
}

/// <summary>A form of a value.</summary>
/// <param name="Bytes">The bytes, at least <see cref="Secret.MinRedactedCharacters"/>.</param>
/// <param name="MayBreak">Whether lines may break anywhere within.</param>
internal sealed record SecretForm(byte[] Bytes, bool MayBreak)
{
    /// <summary>Whether a byte is one of those that end lines.</summary>
    public static bool IsBreak(byte value) => value is (byte)'\n' or (byte)'\r';

    /// <inheritdoc/>
    public bool Equals(SecretForm? other) => other is not null && Bytes.AsSpan().SequenceEqual(other.Bytes);

    /// <inheritdoc/>
    public override int GetHashCode()
    {
        var hash = default(HashCode);
        hash.AddBytes(Bytes);
        return hash.ToHashCode();
    }
}

/// <summary>A form of a value, with what is to stand in its place.</summary>
/// <param name="Bytes">The bytes.</param>
/// <param name="MayBreak">Whether lines may break anywhere within.</param>
/// <param name="Mark">The mark of the secret that it is a value of.</param>
internal sealed record MarkedForm(byte[] Bytes, bool MayBreak, SecretMark Mark)
{
    /// <summary>The order in which those that begin with the same bytes stand together.</summary>
    public static IComparer<MarkedForm> InOrder { get; } = Comparer<MarkedForm>.Create(static (one, other) => one.Bytes.AsSpan().SequenceCompareTo(other.Bytes));
}
