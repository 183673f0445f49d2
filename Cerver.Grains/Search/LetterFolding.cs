using System.Collections.Frozen;
using System.Globalization;

namespace Cerver.Grains.Search;

/// <summary>
/// Letters as they are compared: without case, without what stands above or below them, full-width ones as their narrow twins. Pure.
/// </summary>
/// <remarks>
/// The runtime has no normalization of Unicode when it runs without ICU, as here, and an index must not change with a library's tables. Letters
/// are those that Unicode decomposes into one of the bases and marks, and those that people leave the stroke out of.
/// </remarks>
internal static class LetterFolding
{
    /// <summary>What stands for nothing.</summary>
    public const char Nothing = '\0';

    private static readonly FrozenDictionary<char, char> Bases = new (char Base, string Letters)[]
    {
        ('a', "àáâãäåāăąǎǟǡǻȁȃȧḁạảấầẩẫậắằẳẵặ"),
        ('b', "ḃḅḇ"),
        ('c', "çćĉċčḉ"),
        ('d', "ďḋḍḏḑḓđ"),
        ('e', "èéêëēĕėęěȅȇȩḕḗḙḛḝẹẻẽếềểễệ"),
        ('f', "ḟ"),
        ('g', "ĝğġģǧǵḡ"),
        ('h', "ĥȟḣḥḧḩḫẖħ"),
        ('i', "ìíîïĩīĭįǐȉȋḭḯỉịı"),
        ('j', "ĵǰ"),
        ('k', "ķǩḱḳḵ"),
        ('l', "ĺļľḷḹḻḽł"),
        ('m', "ḿṁṃ"),
        ('n', "ñńņňǹṅṇṉṋ"),
        ('o', "òóôõöōŏőơǒǫǭȍȏȫȭȯȱṍṏṑṓọỏốồổỗộớờởỡợøǿ"),
        ('p', "ṕṗ"),
        ('r', "ŕŗřȑȓṙṛṝṟ"),
        ('s', "śŝşšșṡṣṥṧṩſẛ"),
        ('t', "ţťțṫṭṯṱẗŧ"),
        ('u', "ùúûüũūŭůűųưǔǖǘǚǜȕȗṳṵṷṹṻụủứừửữự"),
        ('v', "ṽṿ"),
        ('w', "ŵẁẃẅẇẉẘ"),
        ('x', "ẋẍ"),
        ('y', "ýÿŷȳẏẙỳỵỷỹ"),
        ('z', "źżžẑẓẕ"),
        ('æ', "ǣǽ"),
        ('ʒ', "ǯ"),
        ('α', "άἀἁἂἃἄἅἆἇὰάᾀᾁᾂᾃᾄᾅᾆᾇᾰᾱᾲᾳᾴᾶᾷ"),
        ('ε', "έἐἑἒἓἔἕὲέ"),
        ('η', "ήἠἡἢἣἤἥἦἧὴήᾐᾑᾒᾓᾔᾕᾖᾗῂῃῄῆῇ"),
        ('ι', "ΐίϊἰἱἲἳἴἵἶἷὶίῐῑῒΐῖῗ"),
        ('ο', "όὀὁὂὃὄὅὸό"),
        ('ρ', "ῤῥ"),
        ('σ', "ς"),
        ('υ', "ΰϋύὐὑὒὓὔὕὖὗὺύῠῡῢΰῦῧ"),
        ('ω', "ώὠὡὢὣὤὥὦὧὼώᾠᾡᾢᾣᾤᾥᾦᾧῲῳῴῶῷ"),
        ('а', "ӑӓ"),
        ('г', "ѓ"),
        ('е', "ѐёӗ"),
        ('ж', "ӂӝ"),
        ('з', "ӟ"),
        ('и', "йѝӣӥ"),
        ('к', "ќ"),
        ('о', "ӧ"),
        ('у', "ўӯӱӳ"),
        ('ч', "ӵ"),
        ('ы', "ӹ"),
        ('э', "ӭ"),
        ('і', "ї"),
        ('ѵ', "ѷ"),
        ('ә', "ӛ"),
        ('ө', "ӫ"),
    }.SelectMany(static entry => entry.Letters.Distinct().Select(letter => (letter, entry.Base))).ToFrozenDictionary(static pair => pair.letter, static pair => pair.Base);

    /// <summary>The letter, digit or other sign that a character is compared as; <see cref="Nothing"/> for a mark that is left out.</summary>
    public static char Fold(char character)
    {
        if (char.IsAscii(character))
        {
            return char.ToLowerInvariant(character);
        }

        var narrow = character is >= '\uFF01' and <= '\uFF5E' ? (char)(character - 0xFEE0) : character;
        var lower = char.ToLowerInvariant(narrow);
        return IsMark(lower) ? Nothing : Bases.GetValueOrDefault(lower, lower);
    }

    /// <summary>Accents that stand by themselves after their letter, vowel points of Hebrew and Arabic, and what joins or does not join letters.</summary>
    private static bool IsMark(char character) => character
        is (>= '\u0300' and <= '\u036F')
        or (>= '\u0591' and <= '\u05BD') or '\u05BF' or '\u05C1' or '\u05C2' or '\u05C4' or '\u05C5' or '\u05C7'
        or (>= '\u064B' and <= '\u065F') or '\u0640' or '\u0670'
        || char.GetUnicodeCategory(character) == UnicodeCategory.Format;
}
