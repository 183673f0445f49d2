using System.Text;
using Cerver.Grains.Secrets.Redaction;
using Cerver.Runs;

namespace Cerver.Tests.Secrets.Redaction;

public sealed class OutputRedactorTests
{
    private readonly AccountTaints _taints = new();
    private readonly StringBuilder[] _kept = [new(), new()];
    private readonly OutputRedactor _redactor;

    public OutputRedactorTests() => _redactor = new(_taints, (kind, data) => _kept[(int)kind - 1].Append(Encoding.Latin1.GetString(data)));

    private string Kept => _kept[0].ToString();

    [Fact]
    public void A_value_that_comes_in_two_pieces_is_found_wherever_it_is_cut()
    {
        var random = new Random(1);
        var value = RandomSecrets.Plain(random);
        _taints.Add([RandomSecrets.Of(value)]);
        foreach (var shown in RandomSecrets.Shown(value).Select(static shown => shown.Shown).Distinct(StringComparer.Ordinal))
        {
            for (var cut = 0; cut <= shown.Length; cut++)
            {
                var redacted = Print($"a {shown[..cut]}", $"{shown[cut..]} z");

                Assert.StartsWith("a ", redacted, StringComparison.Ordinal);
                Assert.Contains("[secret:S0]", redacted, StringComparison.Ordinal);
                Assert.EndsWith(" z", redacted, StringComparison.Ordinal);
                Assert.InRange(redacted.Length, "a [secret:S0] z".Length, "a [secret:S0] z".Length + 20);
            }
        }
    }

    [Fact]
    public void A_value_that_comes_byte_by_byte_is_found_in_every_form()
    {
        var random = new Random(2);
        var value = RandomSecrets.Any(random);
        _taints.Add([RandomSecrets.Of(value)]);

        foreach (var (shown, how) in RandomSecrets.Shown(value))
        {
            var pieces = Encoding.UTF8.GetBytes($"<{shown}>").Select(static one => Encoding.Latin1.GetString([one])).ToArray();
            Assert.True(Print(pieces).Contains("[secret:S0]", StringComparison.Ordinal), how);
        }
    }

    [Fact]
    public void Base64_that_is_broken_into_lines_between_pieces_leaves_three_characters_at_most()
    {
        var value = RandomSecrets.Plain(new Random(3));
        var encoded = Convert.ToBase64String(Encoding.UTF8.GetBytes(value)).TrimEnd('=');
        _taints.Add([RandomSecrets.Of(value)]);

        for (var at = 1; at < encoded.Length - 1; at++)
        {
            var redacted = Print($"{encoded[..at]}\n", encoded[at..]);
            Assert.Contains("[secret:S0]", redacted, StringComparison.Ordinal);
            Assert.InRange(redacted.Length, "[secret:S0]".Length, "[secret:S0]".Length + 3 + 2 + 1);
        }
    }

    [Fact]
    public void A_value_in_json_in_an_address_is_found_wherever_it_is_cut()
    {
        const string Value = "p\"ss\nof somebody";
        _taints.Add([RandomSecrets.Of(Value)]);
        var shown = Uri.EscapeDataString(System.Text.Json.JsonSerializer.Serialize(Value)[1..^1]);

        for (var cut = 0; cut <= shown.Length; cut++)
        {
            Assert.Equal("<[secret:S0]>", Print($"<{shown[..cut]}", $"{shown[cut..]}>"));
        }
    }

    [Fact]
    public void Base64_of_which_an_escaped_line_break_comes_first_and_the_rest_later_is_found()
    {
        var value = RandomSecrets.Plain(new Random(4));
        var encoded = Convert.ToBase64String(Encoding.UTF8.GetBytes(value)).TrimEnd('=');
        _taints.Add([RandomSecrets.Of(value)]);

        foreach (var lineBreak in (string[])["%0A", "\\n", "%5Cn"])
        {
            var redacted = Print($"<{encoded[..12]}{lineBreak}", $"{encoded[12..]}>");
            Assert.StartsWith("<[secret:S0]", redacted, StringComparison.Ordinal);
            Assert.InRange(redacted.Length, "<[secret:S0]>".Length, "<[secret:S0]>".Length + 2);
        }
    }

    [Fact]
    public void Only_what_may_be_a_beginning_waits()
    {
        _taints.Add([RandomSecrets.Of("QRSTUVWXYZ")]);

        Add("password: ");
        Assert.Equal("password: ", Kept);
        Add("QRST");
        Assert.Equal("password: ", Kept);
        Add("!\n");
        Assert.Equal("password: QRST!\n", Kept);
        Add("QRSTUVWXY");
        Assert.Equal("password: QRST!\n", Kept);
        _redactor.Complete();
        Assert.Equal("password: QRST!\nQRSTUVWXY", Kept);
    }

    [Fact]
    public void Both_outputs_wait_for_themselves()
    {
        _taints.Add([RandomSecrets.Of("QRSTUVWXYZ")]);

        Add("QRSTU");
        Add("error\n", OutputKind.Stderr);
        Add("QRS", OutputKind.Stderr);
        Add("VWXYZ");
        _redactor.Complete();

        Assert.Equal(("[secret:S0]", "error\nQRS"), (Kept, _kept[1].ToString()));
    }

    [Fact]
    public void Without_values_everything_is_given_out_at_once_and_a_value_that_comes_to_be_known_counts_from_then_on()
    {
        Add("abcdefgh abcd");
        Assert.Equal("abcdefgh abcd", Kept);

        _taints.Add([RandomSecrets.Of("abcdefgh")]);
        Add("efgh abcdefgh");
        _redactor.Complete();

        Assert.Equal("abcdefgh abcdefgh [secret:S0]", Kept);
    }

    [Fact]
    public void Bytes_that_are_no_text_are_kept()
    {
        _taints.Add([RandomSecrets.Of("abcdefgh")]);
        var bytes = Enumerable.Range(0, 256).Select(static value => (byte)value).ToArray();

        _redactor.Add(OutputKind.Stdout, [.. bytes, .. "abcdefgh"u8, .. bytes]);
        _redactor.Complete();

        Assert.Equal($"{Encoding.Latin1.GetString(bytes)}[secret:S0]{Encoding.Latin1.GetString(bytes)}".Replace("abcdefgh", "[secret:S0]", StringComparison.Ordinal), Kept);
    }

    [Fact]
    public void Values_that_overlap_without_an_end_are_given_out_as_one_and_what_follows_is_kept()
    {
        _taints.Add([RandomSecrets.Of("abcabcab")]);
        var pieces = Enumerable.Repeat("cab", 1_000).ToArray();

        Add("<ab");
        foreach (var piece in pieces)
        {
            Add(piece);
        }

        Assert.Equal("<[secret:S0]", Kept);
        Add("abcabcab");
        Add("c!>");
        _redactor.Complete();
        Assert.Equal("<[secret:S0][secret:S0]c!>", Kept);
        Assert.Equal(Kept, Print($"<ab{string.Concat(pieces)}abcabcabc!>"));
    }

    [Fact]
    public void Whatever_the_pieces_of_values_that_overlap_the_same_is_kept()
    {
        var random = new Random(8);
        _taints.Add(((string[])["abababab", "babaabab", "aabbaabbaabb", "bbbbbbbbbbbb"]).Select(static (value, i) => RandomSecrets.Of(value, $"S{i}")));
        for (var round = 0; round < 200; round++)
        {
            var text = new string(random.GetItems<char>("aaaabbbb\n", 300));
            text = text.Replace("aab", "abababab", StringComparison.Ordinal);
            var pieces = text.Chunk(random.Next(1, 20)).Select(static piece => new string(piece)).ToArray();

            Assert.Equal(Print(text), Print(pieces));
        }
    }

    [Fact]
    public void Whatever_the_pieces_the_same_is_kept()
    {
        var random = new Random(7);
        var values = Enumerable.Range(0, 20).Select(_ => RandomSecrets.Any(random, random.Next(8, 60))).ToArray();
        _taints.Add(values.Select(static (value, i) => RandomSecrets.Of(value, $"S{i}")));
        var text = Encoding.UTF8.GetBytes(string.Concat(Enumerable.Range(0, 300).Select(_ => random.Next(3) == 0
            ? RandomSecrets.Shown(values[random.Next(20)]).ElementAt(random.Next(10)).Shown
            : RandomSecrets.Any(random, random.Next(8, 100)))));
        var whole = Print(Encoding.Latin1.GetString(text));

        for (var round = 0; round < 50; round++)
        {
            var pieces = new List<string>();
            for (var at = 0; at < text.Length;)
            {
                var length = Math.Min(text.Length - at, random.Next(1, round < 5 ? 3 : 400));
                pieces.Add(Encoding.Latin1.GetString(text, at, length));
                at += length;
            }

            Assert.Equal(whole, Print([.. pieces]));
        }
    }

    private void Add(string piece, OutputKind kind = OutputKind.Stdout) => _redactor.Add(kind, Encoding.Latin1.GetBytes(piece));

    /// <summary>What is kept of pieces, which are bytes, one for each character.</summary>
    private string Print(params string[] pieces)
    {
        var kept = new StringBuilder();
        var redactor = new OutputRedactor(_taints, (_, data) => kept.Append(Encoding.Latin1.GetString(data)));
        foreach (var piece in pieces)
        {
            redactor.Add(OutputKind.Stdout, Encoding.Latin1.GetBytes(piece));
        }

        redactor.Complete();
        return kept.ToString();
    }
}
