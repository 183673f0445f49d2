using System.Buffers;
using Cerver.Runs;

namespace Cerver.Grains.Secrets.Redaction;

/// <summary>
/// Puts <c>[secret:NAME]</c> in the place of values in what a program prints, however it comes in pieces. What may be the beginning of a value waits
/// for what follows it, on the same output, or for the end.
/// </summary>
/// <param name="taints">The account's values, as they are when a piece comes.</param>
/// <param name="keep">Takes what is without values.</param>
internal sealed class OutputRedactor(AccountTaints taints, OutputKeeper keep)
{
    private readonly Held[] _held = [new(), new()];

    /// <summary>Takes a piece.</summary>
    public void Add(OutputKind kind, ReadOnlySpan<byte> data)
    {
        var matcher = taints.Matcher;
        var held = _held[(int)kind - 1];
        if (matcher.IsEmpty && held.Bytes.WrittenCount == 0)
        {
            keep(kind, data);
            return;
        }

        if (held.Bytes.WrittenCount == 0)
        {
            Pass(matcher, kind, held, data, isLast: false);
            return;
        }

        held.Bytes.Write(data);
        var joined = held.TakeBytes();
        Pass(matcher, kind, held, joined.WrittenSpan, isLast: false);
        joined.ResetWrittenCount();
    }

    /// <summary>Gives out what waits: nothing more will come.</summary>
    public void Complete()
    {
        foreach (var kind in (ReadOnlySpan<OutputKind>)[OutputKind.Stdout, OutputKind.Stderr])
        {
            var held = _held[(int)kind - 1];
            Pass(taints.Matcher, kind, held, held.Bytes.WrittenSpan, isLast: true);
            held.Bytes.ResetWrittenCount();
        }
    }

    private void Pass(SecretMatcher matcher, OutputKind kind, Held held, ReadOnlySpan<byte> text, bool isLast)
    {
        var found = matcher.Find(text, held.GoesOn, out var hold);
        var end = isLast ? text.Length : hold;
        var at = held.Marked;
        foreach (var match in found.TakeWhile(match => match.Start < end))
        {
            // What overlaps with a value is one with it, and that has its mark.
            if (match.Start >= at)
            {
                keep(kind, text[at..match.Start]);
                keep(kind, match.Mark.Bytes);
            }

            at = Math.Max(at, match.End);
        }

        if (at < end)
        {
            keep(kind, text[at..end]);
        }

        // A value may end after the beginning of another one. All of that one waits, or values that overlap without an end would be gathered without one.
        held.Marked = Math.Max(0, at - end);
        held.Bytes.Write(text[end..]);
        held.GoesOn |= end > 0;
    }

    /// <summary>What waits of one kind of output.</summary>
    private sealed class Held
    {
        public ArrayBufferWriter<byte> Bytes { get; private set; } = new();

        /// <summary>What the next piece is joined in. Nearly every piece ends with what may be the beginning of a value, and a new one for each would be made anew all the time.</summary>
        private ArrayBufferWriter<byte> Spare { get; set; } = new();

        /// <summary>How many of the bytes belong to a value that was given out as its mark.</summary>
        public int Marked { get; set; }

        /// <summary>Whether something was given out before.</summary>
        public bool GoesOn { get; set; }

        /// <summary>Takes what waits; nothing waits then. It is used again for what waits after the next piece.</summary>
        public ArrayBufferWriter<byte> TakeBytes()
        {
            (Bytes, Spare) = (Spare, Bytes);
            return Spare;
        }
    }
}

/// <summary>Takes output.</summary>
/// <param name="kind">Which.</param>
/// <param name="data">The bytes, which are the caller's again afterwards.</param>
internal delegate void OutputKeeper(OutputKind kind, ReadOnlySpan<byte> data);
