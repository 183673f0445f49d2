using System.Text;
using Cerver.Grains.Secrets.Redaction;

namespace Cerver.Tests.Secrets.Redaction;

public sealed class SecretMatcherTests
{
    private static readonly SecretMatcher Alphabet = RandomSecrets.Matcher("abcdefgh");

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void A_value_is_found_in_every_form_at_every_place(int seed)
    {
        var random = new Random(seed);
        for (var round = 0; round < 40; round++)
        {
            var length = round % 3 == 0 ? 8 : random.Next(8, 80);
            var value = round % 2 == 0 ? RandomSecrets.Plain(random, length) : RandomSecrets.Any(random, length);
            var matcher = RandomSecrets.Matcher(RandomSecrets.Plain(random), value, RandomSecrets.Any(random));
            foreach (var (shown, how) in RandomSecrets.Shown(value))
            {
                var before = RandomSecrets.Any(random, 13)[..random.Next(13)];
                var redacted = TextRedactor.Redact(matcher, $"{before}\n{shown}\t{before}")!;
                Assert.True(redacted.Contains("[secret:S1]", StringComparison.Ordinal), $"{how}: {value} as {shown} became {redacted}");

                // Of what stands in base64 the first and the last character belong to others too.
                Assert.True(redacted.Length <= (2 * before.Length) + "[secret:S1]".Length + 2 + LeftOf(how), $"{how}: {value} as {shown} became {redacted}");
            }
        }
    }

    [Theory]
    [InlineData("abcdefgh", "[secret:S0]")]
    [InlineData("xabcdefghx", "x[secret:S0]x")]
    [InlineData("abcdefghabcdefgh", "[secret:S0][secret:S0]")]
    [InlineData("abcdefg", "abcdefg")]
    [InlineData("abcdefgabcdefgh", "abcdefg[secret:S0]")]
    [InlineData("ABCDEFGH", "ABCDEFGH")]
    [InlineData("", "")]
    public void A_value_is_replaced_and_nothing_else_is(string text, string expected) => Assert.Equal(expected, TextRedactor.Redact(Alphabet, text));

    [Fact]
    public void What_has_no_value_is_given_back_as_it_is()
    {
        const string Halves = "half of a character: \ud800, and abcdef";

        Assert.Same(Halves, TextRedactor.Redact(Alphabet, Halves));
        Assert.Null(TextRedactor.Redact(Alphabet, text: null));
    }

    [Fact]
    public void Values_that_overlap_are_one_and_of_two_that_begin_together_the_longer_counts()
    {
        var matcher = RandomSecrets.Matcher("abcdefgh", "efghijkl", "abcdefghijklmnop");

        Assert.Equal("-[secret:S0]-", TextRedactor.Redact(matcher, "-abcdefghijkl-"));
        Assert.Equal("-[secret:S2]-", TextRedactor.Redact(matcher, "-abcdefghijklmnop-"));
    }

    [Theory]
    [InlineData("short")]
    [InlineData("1234567")]
    [InlineData("  1234567  ")]
    public void A_value_of_fewer_than_eight_characters_is_left_alone(string value)
    {
        Assert.False(RandomSecrets.Of(value).IsRedacted);
        Assert.Equal($"it is {value}", TextRedactor.Redact(RandomSecrets.Matcher(value), $"it is {value}"));
    }

    [Fact]
    public void White_space_around_a_value_need_not_be_there() => Assert.Equal("it is [secret:S0].", TextRedactor.Redact(RandomSecrets.Matcher("  abcdefgh\n"), "it is abcdefgh."));

    [Theory]
    [InlineData("\n")]
    [InlineData("\r\n")]
    [InlineData("\\n")]
    [InlineData("\\\n")]
    public void Base64_and_hexadecimal_digits_may_be_broken_into_lines_anywhere(string lineBreak)
    {
        var random = new Random(4);
        var value = RandomSecrets.Plain(random);
        var matcher = RandomSecrets.Matcher(value);
        foreach (var whole in (string[])[Convert.ToBase64String(Encoding.UTF8.GetBytes(value)), Convert.ToHexStringLower(Encoding.UTF8.GetBytes(value))])
        {
            for (var at = 1; at < whole.TrimEnd('=').Length - 1; at++)
            {
                var redacted = TextRedactor.Redact(matcher, $"{whole[..at]}{lineBreak}{whole[at..]}")!;
                Assert.StartsWith("[secret:S0]", redacted, StringComparison.Ordinal);
                Assert.InRange(redacted.Length, "[secret:S0]".Length, "[secret:S0]".Length + 4);
                Assert.StartsWith("x: \"[secret:S0]", TextRedactor.Redact(matcher, $"x: \"{whole[..at]}{lineBreak}{whole[at..]}\""), StringComparison.Ordinal);
            }
        }
    }

    [Theory]
    [InlineData(8)]
    [InlineData(10)]
    [InlineData(16)]
    public void Also_those_of_a_short_value_with_something_before_them(int length)
    {
        var value = RandomSecrets.Plain(new Random(length), length);
        var matcher = RandomSecrets.Matcher(value);
        foreach (var whole in (string[])[Convert.ToBase64String(Encoding.UTF8.GetBytes(value)).TrimEnd('='), Convert.ToHexStringLower(Encoding.UTF8.GetBytes(value))])
        {
            for (var before = 0; before < 5; before++)
            {
                for (var width = 1; width < whole.Length; width++)
                {
                    var text = $"{new string('-', before)}{string.Join('\n', whole.Chunk(width).Select(static line => new string(line)))}";
                    Assert.StartsWith($"{new string('-', before)}[secret:S0]", TextRedactor.Redact(matcher, text), StringComparison.Ordinal);
                }
            }
        }
    }

    [Fact]
    public void A_value_that_is_too_short_with_other_line_ends_is_found_as_it_is()
    {
        const string Value = "a\r\nb\r\nc\r\nd";

        Assert.Equal("it is [secret:S0], not a\nb\nc\nd", TextRedactor.Redact(RandomSecrets.Matcher(Value), $"it is {Value}, not a\nb\nc\nd"));
    }

    [Fact]
    public void Json_in_an_address_hides_no_value()
    {
        const string Value = "p\"ss\\word\nof somebody";
        var shown = Uri.EscapeDataString(System.Text.Json.JsonSerializer.Serialize(new { token = Value }));

        Assert.Equal("%7B%22token%22%3A%22[secret:S0]%22%7D", TextRedactor.Redact(RandomSecrets.Matcher(Value), shown));
    }

    [Fact]
    public void Whichever_characters_of_a_value_are_escaped_it_is_found()
    {
        var random = new Random(9);
        var value = RandomSecrets.Plain(random, 20);
        var base64 = Convert.ToBase64String(Encoding.UTF8.GetBytes(value))[..26];
        var matcher = RandomSecrets.Matcher(RandomSecrets.Plain(random), value);
        foreach (var (first, second) in (IEnumerable<(Func<char, string>, Func<char, string>)>)
            [(InJson, InJson), (InAddress, InAddress), (InJson, InAddress), (InJson, InJsonInJson), (InAddressInAddress, InAddress), (InJsonInJson, InAddress)])
        {
            for (var i = 0; i < value.Length; i++)
            {
                for (var j = 0; j < value.Length; j++)
                {
                    var shown = string.Concat(value.Select((letter, at) => at == i ? first(letter) : at == j ? second(letter) : $"{letter}"));
                    Assert.Equal("plain \"text\", [secret:S1] and more", TextRedactor.Redact(matcher, $"plain \"text\", {shown} and more"));

                    // Lines of base64 may break beside what is escaped, and within.
                    shown = string.Concat(base64.Select((letter, at) => at == i ? $"\n{first(letter)}" : at == j ? $"{second(letter)}\n" : $"{letter}"));
                    Assert.Contains("[secret:S1]", TextRedactor.Redact(matcher, $"plain \"text\", {shown} and more"), StringComparison.Ordinal);
                }
            }
        }

        static string InJson(char letter) => $"\\u{(int)letter:x4}";
        static string InJsonInJson(char letter) => $"\\\\u{(int)letter:x4}";
        static string InAddress(char letter) => $"%{(int)letter:X2}";
        static string InAddressInAddress(char letter) => $"%25{(int)letter:X2}";
    }

    [Theory]
    [InlineData("I am\na b c d")]
    [InlineData("a b\r\nc d\r\ne f")]
    [InlineData("1 2 3 4 5 6 7 8\n9")]
    public void The_line_breaks_of_a_value_of_short_words_hide_it_from_nobody(string value)
    {
        var shown = System.Text.Json.JsonSerializer.Serialize(new { token = value });

        Assert.Equal("""{"token":"[secret:S0]"}""", TextRedactor.Redact(RandomSecrets.Matcher(value), shown));
    }

    [Fact]
    public void A_backslash_at_the_end_of_a_value_is_a_part_of_it_in_json_too()
    {
        const string Value = "C:/somewhere\\";

        Assert.Equal("""{"token":"[secret:S0]"}""", TextRedactor.Redact(RandomSecrets.Matcher(Value), System.Text.Json.JsonSerializer.Serialize(new { token = Value })));
    }

    [Theory]
    [InlineData("a")]
    [InlineData("61")]
    public void A_text_that_could_be_compared_for_minutes_has_a_mark_instead(string piece)
    {
        var matcher = RandomSecrets.Matcher([new string('a', 32_000), .. Enumerable.Range(0, 500).Select(static i => $"{new string('a', 300)}{i}")]);
        var text = string.Concat(Enumerable.Repeat(piece, 200_000));

        Assert.StartsWith("[secret:S", TextRedactor.Redact(matcher, $"{text} and more")!, StringComparison.Ordinal);
        Assert.Same(text, TextRedactor.Redact(RandomSecrets.Matcher(new string('b', 32_000)), text));
    }

    [Fact]
    public void The_lines_of_a_key_are_found_one_by_one()
    {
        var random = new Random(5);
        var (first, second) = (RandomSecrets.Plain(random, 64), RandomSecrets.Plain(random, 64));
        var matcher = RandomSecrets.Matcher($"-----BEGIN KEY-----\n{first}\n{second}\n-----END KEY-----\n");

        Assert.Equal("> [secret:S0]\n> [secret:S0]\n-----BEGIN KEY-----", TextRedactor.Redact(matcher, $"> {second}\n> {first}\n-----BEGIN KEY-----"));
    }

    [Fact]
    public void Json_stays_json_and_hides_no_value_behind_escapes()
    {
        var hidden = string.Concat("abcdefgh".Select(static (letter, i) => i % 2 == 0 ? $"\\u{(int)letter:x4}" : $"{letter}"));

        Assert.Equal("""{"a":"[secret:S0]","n":1.50}""", JsonRedactor.Redact(Alphabet, $$"""{"a":"{{hidden}}","n":1.50}"""));
        Assert.Equal("""{"a":"\u0061","n":1.50}""", JsonRedactor.Redact(Alphabet, """{"a":"\u0061","n":1.50}"""));
    }

    [Theory]
    [InlineData("""{"a":12345678,"b":[912345678,1.50]}""", """{"a":"[secret:S0]","b":["9[secret:S0]",1.50]}""")]
    [InlineData("""{"12345678":"\n2345678","c":null,"d":{"e":true}}""", """{"[secret:S0]":"\n2345678","c":null,"d":{"e":true}}""")]
    [InlineData("""{"a":"\new-value","b":12345678}""", """{"a":"\new-value","b":"[secret:S0]"}""")]
    [InlineData("""{"a":"\\new-value"}""", """{"a":"\\[secret:S1]"}""")]
    public void Json_stays_json_when_a_value_is_a_number_or_looks_like_a_part_of_an_escape(string json, string expected)
    {
        var matcher = RandomSecrets.Matcher("12345678", "new-value");

        Assert.Equal(expected, JsonRedactor.Redact(matcher, json));
    }

    [Fact]
    public void A_hundred_values_are_found_beside_each_other_and_random_text_is_left_alone()
    {
        var random = new Random(6);
        var values = Enumerable.Range(0, 100).Select(_ => RandomSecrets.Any(random)).ToArray();
        var matcher = RandomSecrets.Matcher(values);
        var text = string.Concat(Enumerable.Range(0, 2_000).Select(_ => RandomSecrets.Any(random, 50)));

        Assert.Same(text, TextRedactor.Redact(matcher, text));
        Assert.Equal(string.Join('|', Enumerable.Range(0, 100).Select(static i => $"[secret:S{i}]")), TextRedactor.Redact(matcher, string.Join('|', values)));
    }

    private static int LeftOf(string how) => how switch
    {
        "as it is" or "reversed" or "hexadecimal" => 0,
        _ when how.StartsWith("base64 of", StringComparison.Ordinal) => 18,
        _ => 8,
    };
}
