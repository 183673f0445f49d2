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
/// around each is looked up too, as if it stood together. A text with escapes is searched once more without them, but only around these: everything else
/// is as it was.
/// </remarks>
internal sealed class SecretMatcher
{
    private const int Gram = GramSet.Bytes;
    private const int Stride = Secret.MinRedactedCharacters - Gram + 1;

    /// <summary>How many bytes on either side of a line break or an escape are looked at: with one more, four of a form's first eight stand together.</summary>
    private const int Around = Secret.MinRedactedCharacters - 1;

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
    private readonly FormPlace[] _places;
    private readonly EscapeFilter _escapes;

    private SecretMatcher(IEnumerable<MarkedForm> forms)
    {
        _forms = [.. forms.Order(MarkedForm.InOrder)];
        _beginnings = new SecretBeginnings(_forms);
        _escapes = new EscapeFilter(_forms);
        _places = [.. _forms.SelectMany(PlacesOf)];
        _grams = new GramSet(_places.Length);
        for (var i = 0; i < _places.Length; i++)
        {
            ref var place = ref _places[i];
            place = place with { Next = _heads.GetValueOrDefault(place.Gram, -1) };
            _heads[place.Gram] = i;
            _grams.Add(place.Gram);
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
        if (percents > 0 && _escapes.MayHideBehindPercents(text))
        {
            using var behind = EscapedText.OfPercents(text, from);
            search.Hold = Math.Min(search.Hold, behind.Cut);
            Look(behind.Bytes, behind, backslashes, percents - 1, ref search);
        }

        if (backslashes > 0 && _escapes.MayHideBehindBackslashes(text))
        {
            using var behind = EscapedText.OfBackslashes(text, from);
            search.Hold = Math.Min(search.Hold, behind.Cut);
            Look(behind.Bytes, behind, backslashes - 1, percents, ref search);
        }
    }

    /// <summary>
    /// Looks through a text. One that is without escapes is what it was with them, but around these. All of it is looked through only when a value was seen to begin
    /// before an escape: what stands around the escape is then no beginning of one.
    /// </summary>
    private void Scan(ReadOnlySpan<byte> text, EscapedText? from, ref Search search)
    {
        var around = search.IsCutShort ? null : from;
        if (around is null)
        {
            for (var i = 0; i + Gram <= text.Length; i += Stride)
            {
                LookAt(text, from, i, ref search);
            }
        }
        else
        {
            ScanEscapes(text, around, ref search);
        }

        ScanBreaks(text, from, around, ref search);
        if (search.MayGoOn && _beginnings.HoldFrom(text) is var hold && hold < text.Length)
        {
            search.Hold = Math.Min(search.Hold, from?.PlaceOf(hold) ?? hold);
        }
    }

    /// <summary>Looks at what stands around escapes that were taken away.</summary>
    private void ScanEscapes(ReadOnlySpan<byte> text, EscapedText from, ref Search search)
    {
        var next = 0;
        foreach (var escape in from.Escapes)
        {
            for (next = Math.Max(next, escape.At - Around); next < escape.End + Stride - 1 && next + Gram <= text.Length; next += Stride)
            {
                LookAt(text, from, next, ref search);
            }
        }
    }

    private void LookAt(ReadOnlySpan<byte> text, EscapedText? from, int at, ref Search search)
    {
        var gram = MemoryMarshal.Read<uint>(text[at..]);
        if (_grams.MayHave(gram))
        {
            Compare(text, from, at, gram, isBroken: false, ref search);
        }
    }

    /// <summary>Looks at what stands around line breaks, as if it stood together.</summary>
    private void ScanBreaks(ReadOnlySpan<byte> text, EscapedText? from, EscapedText? around, ref Search search)
    {
        Span<byte> together = stackalloc byte[2 * Around];
        var (line, first, escapes) = (0, IndexOfBreak(text, 0), 0);
        while (first < text.Length)
        {
            var next = first + 1;
            while (next < text.Length && SecretForm.IsBreak(text[next]))
            {
                next++;
            }

            var end = IndexOfBreak(text, next);
            if (around is null || around.HasEscape(first - Around, next + Around, ref escapes))
            {
                var (start, length) = (first - Around, together.Length);
                if (first - line >= Around && end - next >= Around)
                {
                    text.Slice(start, Around).CopyTo(together);
                    text.Slice(next, Around).CopyTo(together[Around..]);
                }
                else
                {
                    start = Join(text, first, together, out length);
                }

                for (var i = 0; i + Gram <= length; i += Stride)
                {
                    var gram = MemoryMarshal.Read<uint>(together[i..]);
                    if (_grams.MayHave(gram))
                    {
                        Compare(text, from, PlaceOf(text, start, i), gram, isBroken: true, ref search);
                    }
                }
            }

            (line, first) = (next, end);
        }
    }

    private static int IndexOfBreak(ReadOnlySpan<byte> text, int from) =>
        text[from..].IndexOfAny((byte)'\n', (byte)'\r') is >= 0 and var index ? from + index : text.Length;

    /// <summary>Gathers what stands on both sides of a line break, over others that are near.</summary>
    /// <returns>Where the first of it stands.</returns>
    private static int Join(ReadOnlySpan<byte> text, int first, Span<byte> together, out int length)
    {
        var (start, before) = (first, 0);
        for (; start > 0 && before < Around; start--)
        {
            before += SecretForm.IsBreak(text[start - 1]) ? 0 : 1;
        }

        length = 0;
        for (var at = start; at < text.Length && length < before + Around; at++)
        {
            if (!SecretForm.IsBreak(text[at]))
            {
                together[length++] = text[at];
            }
        }

        return start;
    }

    /// <summary>Where a byte stands before which there are so many from a place on, line breaks apart.</summary>
    private static int PlaceOf(ReadOnlySpan<byte> text, int start, int count)
    {
        while (count > 0 || SecretForm.IsBreak(text[start]))
        {
            count -= SecretForm.IsBreak(text[start]) ? 0 : 1;
            start++;
        }

        return start;
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

            var match = _places[i].Match(text, at, search.GoesOn, out var compared);
            search.Left -= compared.Length + ComparisonCost;

            // Also a value that is there and has what escapes begin with: without them it may be longer, as one with a backslash at its end is in JSON.
            search.IsCutShort |= EscapedText.HasMark(compared);
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

    private static IEnumerable<FormPlace> PlacesOf(MarkedForm form)
    {
        for (var offset = 0; offset < Stride; offset++)
        {
            yield return new FormPlace(form, offset, Next: -1);
        }
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

        /// <summary>Whether a value was found, or the beginning of one, that may go on behind an escape.</summary>
        public bool IsCutShort { get; set; }

        /// <summary>Whether the text before was given away.</summary>
        public bool GoesOn { get; } = goesOn;

        /// <summary>Whether more may come.</summary>
        public bool MayGoOn { get; } = mayGoOn;

        /// <summary>From where on the text cannot be given away.</summary>
        public int Hold { get; set; } = length;

        /// <summary>What was found, in no order, or null.</summary>
        public List<SecretMatch>? Found { get; set; }
    }
}
