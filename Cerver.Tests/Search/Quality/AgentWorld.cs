using System.Collections.Immutable;
using Cerver.Sessions;

namespace Cerver.Tests.Search.Quality;

/// <summary>
/// Transcripts of agents as they are: some hundred sessions about a few subjects that come back, with logs, traces, code and near duplicates. The same at every run.
/// </summary>
internal static class AgentWorld
{
    private const int Seed = 20260203;
    private const int OtherSessions = 110;

    /// <summary>Midnight of day 0.</summary>
    public static DateTimeOffset FirstDay { get; } = new(2026, 1, 5, 0, 0, 0, TimeSpan.Zero);

    /// <summary>Makes the sessions, the oldest first.</summary>
    public static ImmutableArray<WorldSession> Make()
    {
        var random = new Random(Seed);
        var domains = Fillers.ByDomain.Keys.Order(StringComparer.Ordinal).ToList();
        var others = Enumerable.Range(0, OtherSessions).Select(number => $"{domains[number % domains.Count]} | {NameOf(number)} | {HarnessOf(number)} | slack | {random.Next(40)}\n");
        return [.. $"\n{Scenes.Text}\n{Nights.Write()}".Split("\n# ", StringSplitOptions.RemoveEmptyEntries)
            .Concat(others)
            .Select(text => MakeSession(text, random))
            .OrderBy(static session => session.Entries[0].At)];
    }

    private static string NameOf(int number) => (number % 4) switch
    {
        0 => "",
        1 => "follow-up of last week",
        2 => $"thread {number}",
        _ => "questions of the day",
    };

    private static string HarnessOf(int number) => (number % 3) switch
    {
        0 => "claude",
        1 => "codex",
        _ => "cursor",
    };

    private static WorldSession MakeSession(string text, Random random)
    {
        var lines = text.Split('\n');
        var header = lines[0].Split('|', StringSplitOptions.TrimEntries);
        var at = FirstDay.AddDays(int.Parse(header[4], System.Globalization.CultureInfo.InvariantCulture)).AddMinutes(random.Next(60, 900));
        var gaps = new Gaps(random);
        var entries = ImmutableArray.CreateBuilder<TranscriptEntry>();
        var planted = ImmutableDictionary.CreateBuilder<string, int>(StringComparer.Ordinal);
        AddFillers(random.Next(3, 26));
        foreach (var (who, key, content) in EntriesOf(lines[1..]))
        {
            // Other talk comes in between now and then, but what answers a question is not far from it.
            AddFillers(random.Next(4) == 0 ? 1 : 0);
            if (key.Length > 0)
            {
                planted.Add(key, entries.Count);
            }

            Add(who, content);
        }

        AddFillers(random.Next(2, 26));
        return new WorldSession(header[1].Length == 0 ? null : header[1], header[2], header[3], entries.ToImmutable(), planted.ToImmutable());

        void AddFillers(int count)
        {
            var fillers = Fillers.ByDomain[header[0]];
            for (; count > 0; count--)
            {
                var filler = fillers[random.Next(fillers.Length)];
                var filled = gaps.Fill(filler[3..]);
                Add(filler[0], filler[0] == 'c' ? filled : filled.Replace("\\n", "\n", StringComparison.Ordinal));
            }
        }

        void Add(char who, string content)
        {
            at = at.AddSeconds(random.Next(5, 90));
            entries.Add(EntryOf(at, who, content));
        }
    }

    /// <summary>The entries of a scene; a line that does not say who speaks goes on with the one before.</summary>
    private static IEnumerable<(char Who, string Key, string Content)> EntriesOf(IEnumerable<string> lines)
    {
        (char Who, string Key, string Content)? entry = null;
        foreach (var line in lines)
        {
            var sign = line.IndexOf('>', StringComparison.Ordinal);
            if (line.StartsWith(' ') || sign < 0)
            {
                entry = entry is { } begun ? begun with { Content = $"{begun.Content}\n{(line.StartsWith("  ", StringComparison.Ordinal) ? line[2..] : line)}" } : null;
                continue;
            }

            if (entry is { } complete)
            {
                yield return complete with { Content = complete.Content.TrimEnd() };
            }

            entry = (line[0], line[1..sign].Trim(), line[(sign + 1)..].TrimStart());
        }

        if (entry is { } last)
        {
            yield return last with { Content = last.Content.TrimEnd() };
        }
    }

    private static TranscriptEntry EntryOf(DateTimeOffset at, char who, string content) => who switch
    {
        'u' => new(at, EntryRole.User, EntryKinds.Text, content),
        'a' => new(at, EntryRole.Assistant, EntryKinds.Text, content),
        't' => new(at, EntryRole.Assistant, "thinking", content),
        'c' => new(at, EntryRole.Assistant, EntryKinds.ToolUse, Content: null, ToolId: "call", ToolName: content[..content.IndexOf(' ', StringComparison.Ordinal)],
            ToolInput: content[(content.IndexOf(' ', StringComparison.Ordinal) + 1)..]),
        'r' => new(at, EntryRole.Tool, EntryKinds.ToolResult, content, ToolId: "call"),
        's' => new(at, EntryRole.System, EntryKinds.Text, content),
        _ => throw new ArgumentOutOfRangeException(nameof(who), who, "Nobody speaks like this."),
    };
}
