using System.Globalization;
using System.Text.Json;
using Cerver.Sessions;

namespace Cerver.Api.Sessions.Importing;

/// <summary>
/// Reads the session files of Claude Code, <c>~/.claude/projects/*/*.jsonl</c>: a line for each message, or for each block of one in later versions, between lines
/// about titles, files and the program itself.
/// </summary>
internal sealed class ClaudeCodeParser(ImportedTranscript transcript) : ImportParser(transcript)
{
    /// <summary>What was said in a conversation beside the main one, by an agent that a tool started, has this before its kind.</summary>
    public const string Sidechain = "sidechain_";

    private const string CompactSummary = "compact_summary";
    private const string Synthetic = "<synthetic>";

    private readonly HashSet<string> _known = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> _tools = new(StringComparer.Ordinal);
    private readonly List<(string? Leaf, string Text)> _summaries = [];
    private string? _givenTitle;
    private string? _madeTitle;

    public override string Format => ClaudeCode;

    /// <summary>Whether a line is one of this format.</summary>
    public static bool Recognizes(JsonElement line) => line.Text("type") is not null
        && (line.Text("sessionId") is not null || line.Text("uuid") is not null || line.Text("leafUuid") is not null || line.Object("message") is not null
            || line.Object("snapshot") is not null);

    public override bool Read(JsonElement line)
    {
        // A session that was resumed may have written a line again.
        if (line.Text("uuid") is { } id && !_known.Add(id))
        {
            return true;
        }

        NoteOrigin(line);
        Transcript.Tell(line.Time("timestamp"));
        return line.Text("type") switch
        {
            null => false,
            "user" => ReadMessage(line, EntryRole.User),
            "assistant" => ReadMessage(line, EntryRole.Assistant),
            "system" => ReadSystem(line),
            "attachment" => ReadAttachment(line),
            "summary" => ReadSummary(line),
            "custom-title" => (_givenTitle = line.Text("customTitle") ?? _givenTitle) is not null,
            "ai-title" => (_madeTitle = line.Text("aiTitle") ?? _madeTitle) is not null,
            _ => true,
        };
    }

    public override void Complete()
    {
        // Files also have summaries of other sessions, whose last messages are not here.
        Transcript.Title = _givenTitle ?? _madeTitle ?? _summaries.FindLast(summary => summary.Leaf is null || _known.Contains(summary.Leaf)).Text;
        Transcript.Harness = "claude";
        if (Transcript.Entries.All(static entry => entry.Kind.StartsWith(Sidechain, StringComparison.Ordinal)))
        {
            // A file of an agent by itself, for which it is the main conversation.
            Transcript.Change(static entry => entry with { Kind = entry.Kind[Sidechain.Length..] });
        }

        base.Complete();
    }

    private void NoteOrigin(JsonElement line)
    {
        Transcript.Note("original_session_id", line.Text("sessionId"));
        Transcript.Note("cwd", line.Text("cwd"));
        Transcript.Note("git_branch", line.Text("gitBranch"));
        Transcript.Note("client_version", line.Text("version"));
        Transcript.Note("agent_id", line.Text("agentId"));
        if (line.Object("message")?.Text("model") is { } model && model != Synthetic)
        {
            Transcript.Note("model", model);
        }
    }

    private bool ReadMessage(JsonElement line, EntryRole role)
    {
        switch (line.Object("message")?.Member("content"))
        {
            case { ValueKind: JsonValueKind.String } text:
                AddText(line, role, text.GetString());
                return true;
            case { ValueKind: JsonValueKind.Array } blocks:
                foreach (var block in blocks.EnumerateArray())
                {
                    AddBlock(line, role, block);
                }

                return true;
            default:
                return false;
        }
    }

    private void AddBlock(JsonElement line, EntryRole role, JsonElement block)
    {
        switch (block.Text("type"))
        {
            case "text":
                AddText(line, role, block.Text("text"));
                break;
            case "thinking":
                Add(line, role, "thinking", block.Text("thinking"));
                break;
            case "image" or "document":
                AddText(line, role, LeftOut(block));
                break;
            case { } type when type.EndsWith("tool_use", StringComparison.Ordinal):
                AddCall(line, block);
                break;
            case { } type when type.EndsWith("tool_result", StringComparison.Ordinal):
                AddResult(line, block);
                break;
        }
    }

    private void AddText(JsonElement line, EntryRole role, string? text)
    {
        var isSummary = line.Flag("isCompactSummary");
        if (isSummary || line.Flag("isMeta"))
        {
            // Written by the program in the user's place.
            Add(line, EntryRole.System, isSummary ? CompactSummary : EntryKinds.Text, text);
        }
        else if (role == EntryRole.User && text is not null && !text.StartsWith('<') && !text.StartsWith("Caveat:", StringComparison.Ordinal))
        {
            Transcript.AddWords(EntryOf(line, role, EntryKinds.Text, text));
        }
        else
        {
            Add(line, role, EntryKinds.Text, text);
        }
    }

    private void AddCall(JsonElement line, JsonElement block)
    {
        var (id, name) = (block.Text("id"), block.Text("name"));
        if (id is not null && name is not null)
        {
            _tools[id] = name;
        }

        Transcript.Add(EntryOf(line, EntryRole.Assistant, EntryKinds.ToolUse, content: "") with
        {
            ToolId = id,
            ToolName = name,
            ToolInput = ImportJson.ToolInput(block.Member("input") ?? default),
        });
    }

    private void AddResult(JsonElement line, JsonElement block)
    {
        var id = block.Text("tool_use_id");
        Transcript.Add(EntryOf(line, EntryRole.Tool, EntryKinds.ToolResult, ContentOf(block.Member("content") ?? default)) with
        {
            ToolId = id,
            ToolName = id is null ? null : _tools.GetValueOrDefault(id),
            IsError = block.Flag("is_error") ? true : null,
        });
    }

    /// <summary>A result is a text, or blocks of it with images between; what servers of tools answer may be anything.</summary>
    private static string ContentOf(JsonElement content) => content.ValueKind switch
    {
        JsonValueKind.Undefined or JsonValueKind.Null => "",
        JsonValueKind.String => content.GetString()!,
        JsonValueKind.Array => string.Join('\n', content.EnumerateArray().Select(static block => block.Text("type") switch
        {
            "text" => block.Text("text") ?? "",
            "image" or "document" => LeftOut(block),
            _ => block.GetRawText(),
        })),
        _ => content.GetRawText(),
    };

    /// <summary>What is no text is only told of.</summary>
    private static string LeftOut(JsonElement block)
    {
        var source = block.Object("source");
        var kind = source?.Text("media_type") is { } mediaType ? $"{block.Text("type")}, {mediaType}" : block.Text("type");
        return source?.Text("data") is { } data
            ? string.Create(CultureInfo.InvariantCulture, $"[{kind}: {data.Length} characters of base64 left out]")
            : $"[{kind}: left out]";
    }

    private bool ReadSystem(JsonElement line)
    {
        Add(line, EntryRole.System, line.Text("subtype") ?? EntryKinds.Text, line.Text("content"));
        return true;
    }

    /// <summary>What the user typed while the agent was at work is attached to what came before.</summary>
    private bool ReadAttachment(JsonElement line)
    {
        if (line.Object("attachment") is { } attachment && attachment.Text("type") == "queued_command")
        {
            AddText(line, EntryRole.User, attachment.Text("prompt"));
        }

        return true;
    }

    private bool ReadSummary(JsonElement line)
    {
        if (line.Text("summary") is not { } text)
        {
            return false;
        }

        _summaries.Add((line.Text("leafUuid"), text));
        return true;
    }

    private void Add(JsonElement line, EntryRole role, string kind, string? content) => Transcript.Add(EntryOf(line, role, kind, content));

    private static TranscriptEntry EntryOf(JsonElement line, EntryRole role, string kind, string? content) =>
        new(line.Time("timestamp"), role, line.Flag("isSidechain") ? Sidechain + kind : kind, content);
}
