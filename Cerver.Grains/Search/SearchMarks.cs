using System.Globalization;
using Cerver.Sessions;

namespace Cerver.Grains.Search;

/// <summary>
/// What an entry is found by beside its words, so that whoever looks in one session, at one day or among the newest entries reads no others: short texts of ASCII
/// letters and digits that stand in the index as if they were words. Pure.
/// </summary>
/// <remarks>Days and arrivals are there three times, by one, by 32 and by 1,024 of them, so that a range of any length is a few dozen marks.</remarks>
internal static class SearchMarks
{
    /// <summary>How many entries that arrived one after the other are one block of arrivals.</summary>
    public const int BlockEntries = 2048;

    /// <summary>By how much each level is coarser than the one before, in powers of two.</summary>
    public const int LevelShift = 5;

    private const int Levels = 3;
    private const string ArrivalLevels = "abc";
    private const string DayLevels = "def";
    private const long MicrosecondsPerDay = 86_400_000_000;
    private const int PrefixCharacters = 3;
    private const string Digits = "0123456789abcdefghijklmnopqrstuvwxyz";

    /// <summary>
    /// The last day that has marks of its own, in the year 2149; later ones share them. A search without an end asks for all days up to here, so there must not be too many.
    /// </summary>
    private const long LastDay = (1L << 16) - 1;

    /// <summary>
    /// What all words of an account begin with in an index. Two accounts in some ten thousand share it by chance, which costs time and no more: whose an entry is
    /// stands beside it.
    /// </summary>
    public static string PrefixOf(string accountId) => Write(HashOf(accountId), PrefixCharacters);

    /// <summary>The marks that every database writes for an entry.</summary>
    /// <param name="sessionId">The session it is in.</param>
    /// <param name="role">Who says it.</param>
    /// <param name="kind">Its kind.</param>
    /// <param name="at">When, in microseconds since 1970.</param>
    public static IEnumerable<string> Of(string sessionId, EntryRole role, string kind, long at)
    {
        var day = DayOf(at);
        for (var level = 0; level < Levels; level++)
        {
            yield return Mark(DayLevels[level], day >> (LevelShift * level));
        }

        yield return OfSession(sessionId);
        yield return OfRole(role);
        yield return OfKind(kind);
    }

    /// <summary>The mark of all entries of a session, and by chance of another one's.</summary>
    public static string OfSession(string sessionId) => "s" + Write(HashOf(sessionId), characters: 12);

    /// <summary>The mark of all entries of a role.</summary>
    public static string OfRole(EntryRole role) => Mark('r', (long)role);

    /// <summary>The mark of all entries of a kind, and by chance of another one.</summary>
    public static string OfKind(string kind) => "k" + Write(HashOf(kind), characters: 12);

    /// <summary>Marks of which every entry in a range of time has one.</summary>
    /// <param name="since">The first moment, in microseconds since 1970, or null.</param>
    /// <param name="until">The moment after the last one, or null.</param>
    public static IReadOnlyList<string> OfDays(long? since, long? until) =>
        Cover(DayLevels, since is { } first ? DayOf(first) : 0, until is { } end ? DayOf(end) : LastDay);

    /// <summary>Marks of which every entry in a range of arrivals has one: the first is a block's first, the last a block's last.</summary>
    public static IReadOnlyList<string> OfArrivals(long firstBlock, long lastBlock) => Cover(ArrivalLevels, firstBlock, lastBlock);

    private static List<string> Cover(string levels, long first, long last)
    {
        var marks = new List<string>();
        for (var at = first; at <= last;)
        {
            var level = 0;
            while (level + 1 < Levels && IsAligned(at, level + 1) && at + Size(level + 1) - 1 <= last)
            {
                level++;
            }

            marks.Add(Mark(levels[level], at >> (LevelShift * level)));
            at += Size(level);
        }

        return marks;
    }

    private static bool IsAligned(long at, int level) => (at & (Size(level) - 1)) == 0;

    private static long Size(int level) => 1L << (LevelShift * level);

    private static long DayOf(long at) => Math.Clamp(at / MicrosecondsPerDay, 0, LastDay);

    private static string Mark(char level, long number) => string.Create(CultureInfo.InvariantCulture, $"{level}{number}");

    /// <summary>FNV-1a with the last step of MurmurHash3, so that all bits depend on all characters: every entry has three of them, and nobody gains from two that are the same.</summary>
    private static ulong HashOf(string text)
    {
        var hash = 14_695_981_039_346_656_037UL;
        foreach (var character in text)
        {
            hash = (hash ^ character) * 1_099_511_628_211UL;
        }

        hash = (hash ^ (hash >> 33)) * 0xFF51AFD7ED558CCDUL;
        hash = (hash ^ (hash >> 33)) * 0xC4CEB9FE1A85EC53UL;
        return hash ^ (hash >> 33);
    }

    private static string Write(ulong number, int characters) => string.Create(characters, number, static (span, rest) =>
    {
        foreach (ref var character in span)
        {
            (rest, var digit) = Math.DivRem(rest, (ulong)Digits.Length);
            character = Digits[(int)digit];
        }
    });
}
