using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Cerver.Secrets;

namespace Cerver.Grains.Secrets.Redaction;

/// <summary>The forms in which programs show a value. Pure.</summary>
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
    private const string Letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

    /// <summary>
    /// What is left as it is beside letters and digits: by RFC 3986; in JavaScript by component and whole; in Python's paths; in forms, as Java, .NET and PHP
    /// have them; in Go's paths; by .NET's <c>UrlEncoder</c>.
    /// </summary>
    private static readonly string[] KeptInAddresses = ["-_.~", "-_.!~*'()", "-_.!~*'();,/?:@&=+$#", "-_.~/", "-_.*", "-_.!*()", "-_.", "$&+:=@-_.~", "!$()*,-.;@_~"];

    /// <summary>What a shell need not quote.</summary>
    private const string Unquoted = Letters + "_@%+=:,./-";

    /// <summary>All forms of a value, each once.</summary>
    public static IReadOnlyCollection<SecretForm> Of(string value)
    {
        var text = value.Trim();
        var forms = new HashSet<SecretForm>();
        Add(forms, InText(text));
        Add(forms, text.Split('\n', MaxLines + 1).Take(MaxLines).Select(static line => line.Trim()).Where(IsTelling));
        Add(forms, InAddresses(text).Concat(InJson(text)).Concat(InShells(text)));

        var reversed = Reverse(text);
        Add(forms, [reversed, Json(reversed, JavaScriptEncoder.UnsafeRelaxedJsonEscaping), Reverse(Json(text, JavaScriptEncoder.UnsafeRelaxedJsonEscaping))]);
        Add(forms, InDigits(Encoding.UTF8.GetBytes(text)));
        forms.UnionWith(InBase64(Encoding.UTF8.GetBytes(text)));
        return forms;
    }

    private static void Add(HashSet<SecretForm> forms, IEnumerable<string> texts) =>
        forms.UnionWith(texts.Select(static text => new SecretForm(Encoding.UTF8.GetBytes(text), MayBreak: false)));

    private static IEnumerable<string> InText(string text) =>
        [text, text.ReplaceLineEndings("\n"), text.ReplaceLineEndings("\r\n"), Xml(text), Xml(text).Replace("'", "&#39;", StringComparison.Ordinal)];

    /// <summary>A line of a key says much of it, but not the lines around it, which are the same for all keys.</summary>
    private static bool IsTelling(string line) => line.Length >= MinLineCharacters && !line.StartsWith("-----", StringComparison.Ordinal);

    /// <summary>Percent-encoded, as the encoders of the common languages do it: they differ in what they leave as it is.</summary>
    private static IEnumerable<string> InAddresses(string text)
    {
        foreach (var format in (string[])["%{0:X2}", "%{0:x2}"])
        {
            foreach (var kept in KeptInAddresses)
            {
                var encoded = Percent(text, Letters + kept, format);
                yield return encoded;
                yield return encoded.Replace("%20", "+", StringComparison.Ordinal);
            }

            yield return Percent(text, Letters + KeptInAddresses[0], format).Replace("%", "%25", StringComparison.Ordinal);
            yield return Percent(text, "", format);
        }
    }

    /// <summary>Escaped in JSON, also in JSON that is a text within JSON.</summary>
    private static IEnumerable<string> InJson(string text)
    {
        var plain = Json(text, JavaScriptEncoder.UnsafeRelaxedJsonEscaping);
        foreach (var once in (string[])[plain, Json(text, JavaScriptEncoder.Default), Ascii(plain)])
        {
            foreach (var form in (string[])[once, LowerEscapes(once)])
            {
                yield return form;
                yield return form.Replace("/", "\\/", StringComparison.Ordinal);
                yield return form.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal);
            }
        }

        // As Go has it, and as whoever hides it has it.
        yield return plain.Replace("<", "\\u003c", StringComparison.Ordinal).Replace(">", "\\u003e", StringComparison.Ordinal).Replace("&", "\\u0026", StringComparison.Ordinal);
        yield return Each(text, static character => $"\\u{(int)character:x4}");
        yield return Each(text, static character => $"\\u{(int)character:X4}");
        yield return text.Replace("\\", "\\\\", StringComparison.Ordinal);
    }

    /// <summary>As shells and <c>set -x</c> quote it.</summary>
    private static IEnumerable<string> InShells(string text)
    {
        yield return text.Replace("'", "'\\''", StringComparison.Ordinal);
        yield return text.Replace("'", "'\"'\"'", StringComparison.Ordinal);
        yield return text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("'", "\\'", StringComparison.Ordinal);
        yield return Each(text, static character => Unquoted.Contains(character, StringComparison.Ordinal) || character > '~' ? $"{character}" : $"\\{character}");
        yield return Each(text, static character => character is '"' or '\\' or '$' or '`' ? $"\\{character}" : $"{character}");
        yield return Each(text, static character => character is '"' or '\\' or '$' or '`' or '!' ? $"\\{character}" : $"{character}");
        yield return string.Concat(Encoding.UTF8.GetBytes(text).Select(static value => value switch
        {
            (byte)'\n' => "\\n",
            (byte)'\t' => "\\t",
            (byte)'\r' => "\\r",
            (byte)'\'' => "\\'",
            (byte)'\\' => "\\\\",
            >= 0x20 and < 0x7F => $"{(char)value}",
            _ => $"\\{Convert.ToString(value, 8).PadLeft(3, '0')}",
        }));
    }

    private static IEnumerable<string> InDigits(byte[] bytes)
    {
        foreach (var format in (string[])["{0:x2} ", "{0:X2} ", "{0:x2}:", "{0:X2}:", "\\x{0:x2}", "\\x{0:X2}"])
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

    private static string Percent(string text, string kept, string format) => string.Concat(Encoding.UTF8.GetBytes(text).Select(value =>
        value < 0x80 && kept.Contains((char)value, StringComparison.Ordinal) ? $"{(char)value}" : string.Format(CultureInfo.InvariantCulture, format, value)));

    private static string Json(string text, JavaScriptEncoder encoder) => JsonEncodedText.Encode(text, encoder).ToString();

    private static string Ascii(string text) => Each(text, static character => character < 0x80 ? $"{character}" : $"\\u{(int)character:X4}");

    /// <summary>The same with the digits of <c>\uXXXX</c> in lower case.</summary>
    private static string LowerEscapes(string json)
    {
        var lower = json.ToCharArray();
        for (var i = 0; i + 1 < lower.Length; i++)
        {
            if (lower[i] == '\\')
            {
                for (var digit = i + 2; lower[i + 1] == 'u' && digit < Math.Min(i + 6, lower.Length); digit++)
                {
                    lower[digit] = char.ToLowerInvariant(lower[digit]);
                }

                i++;
            }
        }

        return new string(lower);
    }

    private static string Xml(string text) => text
        .Replace("&", "&amp;", StringComparison.Ordinal)
        .Replace("<", "&lt;", StringComparison.Ordinal)
        .Replace(">", "&gt;", StringComparison.Ordinal)
        .Replace("\"", "&quot;", StringComparison.Ordinal);

    private static string Reverse(string text) => string.Concat(text.EnumerateRunes().Reverse().Select(static rune => rune.ToString()));

    private static string Each(string text, Func<char, string> form) => string.Concat(text.Select(form));
}

/// <summary>A form of a value.</summary>
/// <param name="Bytes">The bytes, at least <see cref="Secret.MinRedactedCharacters"/>.</param>
/// <param name="MayBreak">Whether lines may break anywhere within.</param>
internal sealed record SecretForm(byte[] Bytes, bool MayBreak)
{
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
