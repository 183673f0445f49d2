using System.Text;
using Cerver.Grains.Storage.Postgres;
using CsCheck;

namespace Cerver.Tests.Storage;

/// <summary>Texts come back as they were, also with a character for which PostgreSQL has no place.</summary>
public sealed class PostgresTextTests
{
    private static readonly Gen<string> Text = Gen.Frequency(
        (3, Gen.Char),
        (2, Gen.Const('\0')),
        (2, Gen.Const('\u0010')),
        (2, Gen.Const('0')),
        (1, Gen.Const('\uD83D')),
        (1, Gen.Const('\uDE00'))).Array[0, 12].Select(static characters => new string(characters));

    [Fact]
    public void What_was_stored_is_read_again_as_every_database_would_give_it() => Text.Sample(static text =>
    {
        var stored = PostgresText.Escape(text);

        Assert.DoesNotContain('\0', stored);
        Assert.Equal(stored, Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(stored)));
        Assert.Equal(Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(text)), PostgresText.Unescape(stored));
    });

    [Theory]
    [InlineData("")]
    [InlineData("plain")]
    [InlineData("😀 ünïcödé \u001b[0m")]
    public void A_text_without_such_a_character_is_stored_as_it_is(string text)
    {
        Assert.Same(text, PostgresText.Escape(text));
        Assert.Same(text, PostgresText.Unescape(text));
    }

    [Fact]
    public void Different_texts_are_stored_differently()
    {
        string[] texts = ["\0", "0", "\u00100", "\u0010", "\u0010\u0010", "\u0010\0", "\00"];

        Assert.Equal(texts.Length, texts.Select(PostgresText.Escape).Distinct().Count());
    }
}
