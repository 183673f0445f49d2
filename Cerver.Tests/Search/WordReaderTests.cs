using Cerver.Grains.Search;

namespace Cerver.Tests.Search;

public sealed class WordReaderTests
{
    [Theory]
    [InlineData("The tide is OUT.", "the tide is out")]
    [InlineData("parseJSON", "parse json [parsejson]")]
    [InlineData("JSONParser2Fast", "json parser2 fast [jsonparser2fast]")]
    [InlineData("foo_bar-baz", "foo bar baz")]
    [InlineData("src/path/to/file.ts:12", "src path to file ts 12")]
    [InlineData("HTTP", "http")]
    [InlineData("don't", "don t")]
    [InlineData("Ärger über Łódź, ÉCOLE", "arger uber lodz ecole")]
    [InlineData("e\u0301cole", "ecole")]
    [InlineData("Ёлка Йод", "елка иод")]
    [InlineData("Ｃｅｒｖｅｒ", "cerver")]
    [InlineData("数据库", "数据 据库 库")]
    [InlineData("東京タワー", "東京 京タ タワ ワー ー")]
    [InlineData("서버가", "서버 버가 가")]
    [InlineData("使用foo的库", "使用 用 foo 的库 库")]
    [InlineData("𠮷野家", "𠮷野 野家 家")]
    [InlineData("\u05E9\u05B8\u05DC\u05D5\u05B9\u05DD", "\u05E9\u05DC\u05D5\u05DD")]
    [InlineData("zero\u200Bwidth soft\u00ADhyphen", "zerowidth softhyphen")]
    [InlineData("\uD800 half \uDC00", "half")]
    [InlineData("… — !? 🙂", "")]
    [InlineData("", "")]
    public void A_text_is_taken_apart_into_words(string text, string expected)
    {
        var words = WordReader.Read(text, limit: 100);

        Assert.Equal(expected, string.Join(' ', words.Select(word => word.IsWhole ? $"[{word.Text}]" : word.Text)));
    }

    [Fact]
    public void A_word_knows_where_it_stands()
    {
        var words = WordReader.Read("call parseJSON now", limit: 100);

        Assert.Equal(
            [new("call", 0, 4, 1, false), new("parse", 5, 5, 2, false), new("json", 10, 4, 3, false), new("parsejson", 5, 9, 2, true), new Word("now", 15, 3, 4, false)],
            words);
    }

    [Fact]
    public void Words_are_cut_off_and_so_are_texts()
    {
        var words = WordReader.Read(new string('x', 1000) + " b c d", limit: 2);

        Assert.Equal([new string('x', 64), "b"], words.Select(word => word.Text));
    }
}
