using System.Text.Json;
using Cerver.Sessions;

namespace Cerver.Api.Sessions.Importing;

/// <summary>
/// Reads the session files of Codex, <c>~/.codex/sessions/YYYY/MM/DD/rollout-*.jsonl</c>: items of the conversation in envelopes with a time and a type, between
/// lines about the session and events for its screen, which say the same again. Earlier versions wrote the items without envelopes, after a line about the session.
/// </summary>
internal sealed class CodexParser(ImportedTranscript transcript) : ImportParser(transcript)
{
    private const string Call = "_call";
    private const string Output = "_output";

    /// <summary>What the program says in the user's place begins with one of these.</summary>
    private static readonly ImmutableArray<string> Instructions =
        ["<environment_context>", "<user_instructions>", "<permissions instructions>", "<turn_aborted>", "<INSTRUCTIONS>", "# AGENTS.md instructions"];

    private readonly Dictionary<string, string> _tools = new(StringComparer.Ordinal);
    private bool _hasOrigin;

    public override string Format => Codex;

    /// <summary>Whether a line is one of this format.</summary>
    public static bool Recognizes(JsonElement line) => line.Text("type") switch
    {
        null => line.Text("record_type") is not null || (line.Text("id") is not null && line.Text("timestamp") is not null),
        "message" => line.Text("role") is not null && line.Member("content") is not null,
        "reasoning" => line.Member("summary") is not null,
        var type => line.Object("payload") is not null || type.EndsWith(Call, StringComparison.Ordinal) || type.EndsWith(Call + Output, StringComparison.Ordinal),
    };

    public override bool Read(JsonElement line)
    {
        Transcript.Tell(line.Time("timestamp"));
        if (line.Object("payload") is not { } payload)
        {
            return line.Text("type") is null ? Recognizes(line) && ReadOrigin(line) : ReadItem(line);
        }

        return line.Text("type") switch
        {
            null => false,
            "session_meta" => ReadOrigin(payload),
            "turn_context" => ReadContext(payload),
            "response_item" => ReadItem(payload),
            "compacted" => Add(EntryRole.System, "compact_summary", payload.Text("message")),
            "event_msg" => ReadEvent(payload),
            _ => true,
        };
    }

    public override void Complete()
    {
        Transcript.Harness = "codex";
        base.Complete();
    }

    /// <summary>Of several the first one counts: a session that goes on from another one begins with the lines of that.</summary>
    private bool ReadOrigin(JsonElement origin)
    {
        if (!_hasOrigin && origin.Text("id") is { } id)
        {
            _hasOrigin = true;
            Transcript.Note("original_session_id", id);
            Transcript.Note("git_branch", origin.Object("git")?.Text("branch"));
            Transcript.Note("client_version", origin.Text("cli_version"));
        }

        return ReadContext(origin);
    }

    private bool ReadContext(JsonElement context)
    {
        Transcript.Note("cwd", context.Text("cwd"));
        Transcript.Note("model", context.Text("model"));
        return true;
    }

    private bool ReadItem(JsonElement item) => item.Text("type") switch
    {
        null => false,
        "message" => ReadMessage(item),
        "reasoning" => ReadReasoning(item),
        var type when type.EndsWith(Call, StringComparison.Ordinal) => ReadCall(item, type[..^Call.Length]),
        var type when type.EndsWith(Output, StringComparison.Ordinal) => ReadOutput(item),
        _ => true,
    };

    private bool ReadMessage(JsonElement item)
    {
        var text = item.Member("content") is { ValueKind: JsonValueKind.String } whole ? whole.GetString()! : TextOf(item.Items("content"));
        switch (item.Text("role"))
        {
            case null:
                return false;
            case "assistant":
                return Add(EntryRole.Assistant, EntryKinds.Text, text);
            case "user" when !Instructions.Any(beginning => text.AsSpan().TrimStart().StartsWith(beginning, StringComparison.Ordinal)):
                Transcript.AddWords(new(At: null, EntryRole.User, EntryKinds.Text, text));
                return true;
            default:
                return Add(EntryRole.System, EntryKinds.Text, text);
        }
    }

    /// <summary>What it thought is encrypted but for a summary, or is there in full.</summary>
    private bool ReadReasoning(JsonElement item)
    {
        var thought = TextOf(item.Items("content"));
        return Add(EntryRole.Assistant, "thinking", thought.Length > 0 ? thought : TextOf(item.Items("summary")));
    }

    private bool ReadCall(JsonElement item, string type)
    {
        var id = item.Text("call_id") ?? item.Text("id");
        var name = item.Text("name") ?? type;
        if (id is not null)
        {
            _tools[id] = name;
        }

        var input = item.Text("arguments") is { } arguments
            ? ImportJson.ToolArguments(arguments)
            : ImportJson.ToolInput(item.Member("input") ?? item.Member("action") ?? item.Member("arguments") ?? default);
        Transcript.Add(new(At: null, EntryRole.Assistant, EntryKinds.ToolUse, Content: "", id, name, input));
        return true;
    }

    private bool ReadOutput(JsonElement item)
    {
        var id = item.Text("call_id");
        var (content, failed) = OutputOf(item.Member("output") ?? default);
        Transcript.Add(new(
            At: null, EntryRole.Tool, EntryKinds.ToolResult, content, id, id is null ? null : _tools.GetValueOrDefault(id), ToolInput: null, failed ? true : null));
        return true;
    }

    /// <summary>An output is a text, which may be JSON with the text and an exit code in it; an object with both; or parts of a text.</summary>
    private static (string Content, bool Failed) OutputOf(JsonElement output)
    {
        switch (output.ValueKind)
        {
            case JsonValueKind.String:
                var text = output.GetString()!;
                using (var inner = text.StartsWith('{') ? ImportJson.Parse(System.Text.Encoding.UTF8.GetBytes(text)) : null)
                {
                    return inner?.RootElement is { } said && said.Text("output") is { } printed
                        ? (printed, said.Object("metadata")?.Member("exit_code") is { ValueKind: JsonValueKind.Number } code && code.GetRawText() != "0")
                        : (text, false);
                }

            case JsonValueKind.Object:
                return (output.Text("content") ?? output.Text("output") ?? output.GetRawText(), output.Member("success")?.ValueKind == JsonValueKind.False);
            case JsonValueKind.Array:
                return (TextOf(output.EnumerateArray()), false);
            default:
                return ("", false);
        }
    }

    private bool ReadEvent(JsonElement happened) => happened.Text("type") switch
    {
        null => false,
        "turn_aborted" => Add(EntryRole.System, "turn_aborted", happened.Text("reason")),
        "error" => Add(EntryRole.System, "error", happened.Text("message")),
        _ => true,
    };

    private static string TextOf(IEnumerable<JsonElement> parts) => string.Join(
        '\n',
        parts.Select(static part => part.Text("text") ?? (part.Text("type")?.EndsWith("image", StringComparison.Ordinal) == true ? "[image: left out]" : null))
            .Where(static text => text is not null));

    private bool Add(EntryRole role, string kind, string? content)
    {
        Transcript.Add(new(At: null, role, kind, content));
        return true;
    }
}
