using System.Runtime.InteropServices;
using Cerver.Secrets;

namespace Cerver.Grains.Secrets.Redaction;

/// <summary>
/// Finds values in bytes, in all their forms at once. Immutable; any number may search at once. Pure.
/// </summary>
/// <remarks>
/// Every form has eight bytes at least, so whoever looks at four bytes at every fifth place sees four of the first eight of each form that is there. What
/// stands at these places is looked up in a set of bits, which says no nearly always; only then are forms compared. So most of a text is never
/// looked at, however many values there are. A line break may fall into the first bytes of a form that may be broken into lines, so what stands
/// around each is looked up too, as if it stood together. A text with escapes is searched once more without them.
/// </remarks>
internal sealed class SecretMatcher
{
    private const int Gram = GramSet.Bytes;
    private const int Stride = Secret.MinRedactedCharacters - Gram + 1;

    /// <summary>How many bytes on either side of a line break are looked at: with one more, four of a form's first eight stand together.</summary>
    private const int AroundBreak = Secret.MinRedactedCharacters - 1;

    /// <summary>How many times escapes are looked behind: a text in JSON in JSON in JSON.</summary>
    private const int MaxBackslashes = 3;

    /// <summary>The same for percent signs: an address in an address.</summary>
    private const int MaxPercents = 2;

    /// <summary>
    /// How many bytes are compared for each of a text. Few texts need one. One that needs more is made of beginnings of values, such as the letter that a long value is
    /// made of, and has a mark instead: nobody can have a silo compare for minutes.
    /// </summary>
    private const int ComparedPerByte = 1_024;

    private const int ComparedAtLeast = 1024 * 1024;

    /// <summary>What a comparison costs beside its bytes.</summary>
    private const int ComparisonCost = 16;

    private readonly MarkedForm[] _forms;
    private readonly SecretBeginnings _beginnings;
    private readonly GramSet _grams;
    private readonly Dictionary<uint, int> _heads = [];
    private readonly Place[] _places;
    private readonly bool[] _matters = new bool[256];

    private SecretMatcher(IEnumerable<MarkedForm> forms)
    {
        _forms = [.. forms.Order(MarkedForm.InOrder)];
        _beginnings = new SecretBeginnings(_forms);
        _places = [.. _forms.SelectMany(PlacesOf)];
        _grams = new GramSet(_places.Length);
        for (var i = 0; i < _places.Length; i++)
        {
            ref var place = ref _places[i];
            var gram = MemoryMarshal.Read<uint>(place.Form.Bytes.AsSpan(place.Offset));
            place = place with { Next = _heads.GetValueOrDefault(gram, -1) };
            _heads[gram] = i;
            _grams.Add(gram);
        }

        foreach (var form in _forms)
        {
            foreach (var value in form.Bytes)
            {
                _matters[value] = true;
            }
        }
    }

    /// <summary>Finds nothing.</summary>
    public static SecretMatcher Empty { get; } = new([]);

    /// <summary>Whether there is anything to find.</summary>
    public bool IsEmpty => _forms.Length == 0;

    /// <summary>Finds these values too. Those that are too short are left out.</summary>
    public SecretMatcher With(IEnumerable<FetchedSecret> secrets)
    {
        var forms = new List<MarkedForm>(_forms);
        foreach (var secret in secrets.Where(static secret => secret.IsRedacted))
        {
            var mark = SecretMark.Of(secret.Name);
#pragma warning disable RS0030 // What is looked for must be known.
            forms.AddRange(SecretForms.Of(secret.Value.Reveal()).Select(form => new MarkedForm(form.Bytes, form.MayBreak, mark)));
#pragma warning restore RS0030
        }

        return new SecretMatcher(forms);
    }

    /// <summary>The values that stand in a text, in its order. They do not overlap: what does is one.</summary>
    public List<SecretMatch> Find(ReadOnlySpan<byte> text)
    {
        var search = new Search(goesOn: false, mayGoOn: false, text.Length);
        return Find(text, ref search);
    }

    /// <summary>The values that stand in a text of which more may come.</summary>
    /// <param name="text">The text.</param>
    /// <param name="goesOn">Whether the text before it was given away already. Of a value the characters before a line break may have been there.</param>
    /// <param name="hold">From where on it cannot be given away before more of it is there, because a value may have begun; its length when all of it can.</param>
    /// <inheritdoc cref="Find(ReadOnlySpan{byte})"/>
    public List<SecretMatch> Find(ReadOnlySpan<byte> text, bool goesOn, out int hold)
    {
        var search = new Search(goesOn, mayGoOn: true, text.Length);
        var found = Find(text, ref search);
        hold = search.Hold;
        return found;
    }

    private List<SecretMatch> Find(ReadOnlySpan<byte> text, ref Search search)
    {
        if (!IsEmpty)
        {
            Look(text, from: null, MaxBackslashes, MaxPercents, ref search);
        }

        return search.Found is { } found ? Merge(found) : [];
    }

    /// <summary>Looks through a text, and through what it is without its escapes, and without the escapes in that, of either kind.</summary>
    private void Look(ReadOnlySpan<byte> text, EscapedText? from, int backslashes, int percents, ref Search search)
    {
        Scan(text, from, ref search);
        if (percents > 0 && EscapedText.MayHideBehindPercents(text, _matters))
        {
            using var behind = EscapedText.OfPercents(text, from);
            search.Hold = Math.Min(search.Hold, behind.Cut);
            Look(behind.Bytes, behind, backslashes, percents - 1, ref search);
        }

        if (backslashes > 0 && EscapedText.MayHideBehindBackslashes(text, _matters))
        {
            using var behind = EscapedText.OfBackslashes(text, from);
            search.Hold = Math.Min(search.Hold, behind.Cut);
            Look(behind.Bytes, behind, backslashes - 1, percents, ref search);
        }
    }

    private void Scan(ReadOnlySpan<byte> text, EscapedText? from, ref Search search)
    {
        for (var i = 0; i + Gram <= text.Length; i += Stride)
        {
            var gram = MemoryMarshal.Read<uint>(text[i..]);
            if (_grams.MayHave(gram))
            {
                Compare(text, from, i, gram, isBroken: false, ref search);
            }
        }

        ScanBreaks(text, from, ref search);
        if (search.MayGoOn && _beginnings.HoldFrom(text) is var hold && hold < text.Length)
        {
            search.Hold = Math.Min(search.Hold, from?.PlaceOf(hold) ?? hold);
        }
    }

    /// <summary>Looks at what stands around line breaks, as if it stood together.</summary>
    private void ScanBreaks(ReadOnlySpan<byte> text, EscapedText? from, ref Search search)
    {
        Span<byte> around = stackalloc byte[2 * AroundBreak];
        Span<int> stood = stackalloc int[2 * AroundBreak];
        for (var next = 0; text[next..].IndexOfAny((byte)'\n', (byte)'\r') is >= 0 and var found;)
        {
            var (first, before) = (next + found, 0);
            for (; first > 0 && before < AroundBreak; first--)
            {
                before += SecretForm.IsBreak(text[first - 1]) ? 0 : 1;
            }

            next += found;
            while (next < text.Length && SecretForm.IsBreak(text[next]))
            {
                next++;
            }

            var length = 0;
            for (var at = first; at < text.Length && length < before + AroundBreak; at++)
            {
                if (!SecretForm.IsBreak(text[at]))
                {
                    (around[length], stood[length]) = (text[at], at);
                    length++;
                }
            }

            for (var i = 0; i + Gram <= length; i += Stride)
            {
                var gram = MemoryMarshal.Read<uint>(around[i..]);
                if (_grams.MayHave(gram))
                {
                    Compare(text, from, stood[i], gram, isBroken: true, ref search);
                }
            }
        }
    }

    /// <summary>Compares what stands around a place with the forms that have these four bytes among their first ones.</summary>
    private void Compare(ReadOnlySpan<byte> text, EscapedText? from, int at, uint gram, bool isBroken, ref Search search)
    {
        for (var i = _heads.GetValueOrDefault(gram, -1); i >= 0 && search.Left > 0; i = _places[i].Next)
        {
            if (isBroken && !_places[i].Form.MayBreak)
            {
                continue;
            }

            var match = Match(text, at, _places[i], search.GoesOn, out var compared);
            search.Left -= compared + ComparisonCost;
            if (match is { } found)
            {
                (search.Found ??= []).Add(from is null ? found : found with { Start = from.PlaceOf(found.Start), End = from.PlaceOf(found.End) });
            }

            if (search.Left <= 0)
            {
                (search.Found ??= []).Add(new SecretMatch(0, search.Length, _places[i].Form.Mark));
            }
        }
    }

    private static IEnumerable<Place> PlacesOf(MarkedForm form)
    {
        for (var offset = 0; offset < Stride; offset++)
        {
            yield return new Place(form, offset, Next: -1);
        }
    }

    /// <summary>Where a form stands of which some bytes do, or null.</summary>
    /// <param name="text">The text.</param>
    /// <param name="at">Where bytes of a form stand.</param>
    /// <param name="place">The bytes.</param>
    /// <param name="goesOn">Whether the text before was given away.</param>
    /// <param name="compared">How many bytes had to be compared, or somewhat more.</param>
    private static SecretMatch? Match(ReadOnlySpan<byte> text, int at, Place place, bool goesOn, out int compared)
    {
        var (form, start) = (place.Form, at - place.Offset);
        if (!form.MayBreak)
        {
            compared = start < 0 ? 0 : text[start..].CommonPrefixLength(form.Bytes);
            return compared == form.Bytes.Length ? new SecretMatch(start, start + compared, form.Mark) : null;
        }

        var end = at;
        var first = Leftwards(text, at, form.Bytes.AsSpan(0, place.Offset), goesOn);
        var isWhole = first is not null && IsRightwards(text, form.Bytes.AsSpan(place.Offset), ref end);
        compared = end - at;
        return isWhole ? new SecretMatch(first!.Value, end, form.Mark) : null;
    }

    /// <summary>Where a form begins whose first bytes end at a place.</summary>
    private static int? Leftwards(ReadOnlySpan<byte> text, int at, ReadOnlySpan<byte> expected, bool goesOn)
    {
        while (expected.Length > 0)
        {
            var before = at;
            while (before > 0 && SecretForm.IsBreak(text[before - 1]))
            {
                before--;
            }

            if (before == 0 && goesOn && expected.Length < SecretBeginnings.MinBeforeBreak)
            {
                return 0;
            }

            if (before == 0 || text[before - 1] != expected[^1])
            {
                return null;
            }

            at = before - 1;
            expected = expected[..^1];
        }

        return at;
    }

    /// <summary>Whether the bytes of a form begin at a place, which is where they end afterwards, or where something else stands.</summary>
    private static bool IsRightwards(ReadOnlySpan<byte> text, ReadOnlySpan<byte> expected, ref int at)
    {
        foreach (var value in expected)
        {
            while (at < text.Length && SecretForm.IsBreak(text[at]))
            {
                at++;
            }

            if (at >= text.Length || text[at] != value)
            {
                return false;
            }

            at++;
        }

        return true;
    }

    private static List<SecretMatch> Merge(List<SecretMatch> found)
    {
        found.Sort(static (one, other) => one.Start != other.Start ? one.Start.CompareTo(other.Start) : other.End.CompareTo(one.End));
        var merged = new List<SecretMatch>(found.Count);
        foreach (var match in found)
        {
            if (merged.Count > 0 && match.Start < merged[^1].End)
            {
                merged[^1] = merged[^1] with { End = Math.Max(merged[^1].End, match.End) };
            }
            else
            {
                merged.Add(match);
            }
        }

        return merged;
    }

    /// <summary>What a search has come to.</summary>
    private ref struct Search(bool goesOn, bool mayGoOn, int length)
    {
        /// <summary>How long the text is.</summary>
        public int Length { get; } = length;

        /// <summary>How much may still be compared.</summary>
        public long Left { get; set; } = ((long)length * ComparedPerByte) + ComparedAtLeast;

        /// <summary>Whether the text before was given away.</summary>
        public bool GoesOn { get; } = goesOn;

        /// <summary>Whether more may come.</summary>
        public bool MayGoOn { get; } = mayGoOn;

        /// <summary>From where on the text cannot be given away.</summary>
        public int Hold { get; set; } = length;

        /// <summary>What was found, in no order, or null.</summary>
        public List<SecretMatch>? Found { get; set; }
    }

    /// <summary>Four bytes of a form.</summary>
    private readonly record struct Place(MarkedForm Form, int Offset, int Next);
}
