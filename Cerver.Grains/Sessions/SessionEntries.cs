using System.Text;
using System.Text.Json;
using Cerver.Grains.Secrets;
using Cerver.Grains.Storage;
using Cerver.Runs;
using Cerver.Secrets;
using Cerver.Sessions;

namespace Cerver.Grains.Sessions;

/// <summary>What is stored as entries: those that came, and those that the gateway itself writes. Pure.</summary>
internal static class SessionEntries
{
    private const string RunTool = "run";
    private static readonly JsonSerializerOptions Plain = new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Entries as they are stored: those without a time get this one.</summary>
    public static ImmutableArray<TranscriptEntry> Stamp(ImmutableArray<TranscriptEntry> entries, DateTimeOffset now) =>
        ImmutableArray.CreateRange(entries, entry => entry with { At = entry.At is { } at ? UnixMicroseconds.Round(at) : now });

    /// <summary>About how many bytes an entry takes.</summary>
    public static int SizeOf(TranscriptEntry entry) =>
        64 + (entry.Content is null ? 0 : Encoding.UTF8.GetByteCount(entry.Content)) + (entry.ToolInput?.Length ?? 0);

    /// <summary>A run begins.</summary>
    public static TranscriptEntry RunStarted(RunRecord run) => new(
        run.StartedAt,
        EntryRole.Assistant,
        EntryKinds.ToolUse,
        Content: "",
        ToolId: run.RunId,
        ToolName: RunTool,
        ToolInput: JsonSerializer.Serialize(new SortedDictionary<string, string>(StringComparer.Ordinal) { ["code"] = run.Code, ["run_id"] = run.RunId }, Plain));

    /// <summary>A run is over.</summary>
    public static TranscriptEntry RunEnded(RunEnd ended) => new(
        ended.EndedAt,
        EntryRole.Tool,
        EntryKinds.ToolResult,
        Content: ended.Status == RunStatus.Lost ? $"{ended.Output}\n[This run was lost: it did not start, its sandbox went down, or its output could not be stored.]" : ended.Output,
        ToolId: ended.RunId,
        ToolName: RunTool,
        IsError: ended.ExitCode == 0 ? null : true);

    /// <summary>The session goes on with other compute.</summary>
    public static TranscriptEntry ComputeSwitched(DateTimeOffset at, string from, string to) => new(
        at,
        EntryRole.System,
        EntryKinds.ComputeSwitch,
        Content: JsonSerializer.Serialize(
            new SortedDictionary<string, string>(StringComparer.Ordinal) { ["type"] = EntryKinds.ComputeSwitch, ["from"] = from, ["to"] = to }, Plain));

    /// <summary>Somebody asked for a secret. Says what came of it and never the value.</summary>
    public static TranscriptEntry SecretAccessed(SecretAccess access)
    {
        var said = new SortedDictionary<string, string?>(StringComparer.Ordinal)
        {
            ["type"] = EntryKinds.SecretAccess,
            ["name"] = access.Name,
            ["source"] = access.Source,
            ["outcome"] = SecretOutcomes.WordOf(access.Outcome),
        };
        if (access.RunId is { } runId)
        {
            said["run_id"] = runId;
        }

        return new(UnixMicroseconds.Round(access.At), EntryRole.System, EntryKinds.SecretAccess, Content: JsonSerializer.Serialize(said, Plain));
    }
}
