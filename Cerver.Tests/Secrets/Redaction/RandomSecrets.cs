using System.Globalization;
using System.Security;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Cerver.Grains.Secrets.Redaction;
using Cerver.Secrets;

namespace Cerver.Tests.Secrets.Redaction;

/// <summary>Values, and the ways in which programs show them, made without what is tested.</summary>
internal static class RandomSecrets
{
    private const string Letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    private const string Awkward = Letters + "+/=-_.~!*'();:@&$,#[]%\"\\ <>`^{}|?\täß€";

    private static readonly JsonSerializerOptions PlainJson = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>A value of letters and digits alone.</summary>
    public static string Plain(Random random, int length = 40) => Make(random, Letters, length);

    /// <summary>A value with everything that encodings treat in their own way.</summary>
    public static string Any(Random random, int length = 40) => Make(random, Awkward, length).Trim() is { Length: >= Secret.MinRedactedCharacters } value ? value : Any(random, length);

    /// <summary>What redacts these values.</summary>
    public static SecretMatcher Matcher(params string[] values) => SecretMatcher.Empty.With(values.Select((value, i) => Of(value, $"S{i}")));

    public static FetchedSecret Of(string value, string name = "S0") => new(name, new Secret(value), "env");

    /// <summary>A value as programs show it, each with what shows it so.</summary>
    public static IEnumerable<(string Shown, string How)> Shown(string value)
    {
        var bytes = Encoding.UTF8.GetBytes(value);
        yield return (value, "as it is");
        yield return ($"'{value.Replace("'", "'\\''", StringComparison.Ordinal)}'", "set -x of bash");
        yield return ($"'{value.Replace("'", "'\"'\"'", StringComparison.Ordinal)}'", "shlex.quote of Python");
        yield return ($"'{value.Replace("'", "''", StringComparison.Ordinal)}'", "SQL");
        yield return ($"\"{value.Replace("\"", "\"\"", StringComparison.Ordinal)}\"", "CSV");
        yield return (Convert.ToBase64String(bytes), "base64");
        yield return (Convert.ToBase64String([(byte)'x', .. bytes, (byte)'y']), "base64, one after another");
        yield return (Convert.ToBase64String([(byte)'x', (byte)'y', .. bytes, (byte)'z']), "base64, two after another");
        yield return (Convert.ToBase64String(bytes).Replace('+', '-').Replace('/', '_').TrimEnd('='), "base64url");
        yield return (Convert.ToBase64String(Encoding.UTF8.GetBytes($"user:{value}@host")), "base64 of an address");
        yield return (Convert.ToHexStringLower(bytes), "hexadecimal");
        yield return (Convert.ToHexString(bytes), "hexadecimal in upper case");
        yield return (string.Join(' ', bytes.Select(static value => value.ToString("x2", CultureInfo.InvariantCulture))), "od -tx1");
        yield return (Uri.EscapeDataString(value), "Uri.EscapeDataString");
        yield return (UrlEncoder.Default.Encode(value), "UrlEncoder");
        yield return (System.Net.WebUtility.UrlEncode(value), "a form");
        yield return (JsonSerializer.Serialize(value), "System.Text.Json");
        yield return (JsonSerializer.Serialize(value, PlainJson), "JSON.stringify");
        yield return (JsonSerializer.Serialize(JsonSerializer.Serialize(value, PlainJson), PlainJson), "JSON in JSON");
        yield return (string.Concat(value.EnumerateRunes().Reverse().Select(static rune => rune.ToString())), "reversed");
        yield return (JsonSerializer.Serialize(string.Concat(value.Reverse()), PlainJson), "reversed in JSON");
        yield return (System.Net.WebUtility.HtmlEncode(value).Replace("&#228;", "ä", StringComparison.Ordinal).Replace("&#223;", "ß", StringComparison.Ordinal), "HTML");
        yield return (SecurityElement.Escape(value), "XML");
        yield return (SecurityElement.Escape(value).Replace("&apos;", "&#x27;", StringComparison.Ordinal), "html.escape of Python");
        yield return (SecurityElement.Escape(value).Replace("&apos;", "&#39;", StringComparison.Ordinal).Replace("&quot;", "&#34;", StringComparison.Ordinal), "html.EscapeString of Go");
    }

    private static string Make(Random random, string alphabet, int length) => new(random.GetItems<char>(alphabet, length));
}
