using System.Runtime.InteropServices;
using Cerver.Errors;
using Cerver.Sessions;

namespace Cerver.Api.Sessions;

/// <summary>Turns entries of the wire into those that grains know, and back into words.</summary>
internal static class EntryReader
{
    /// <summary>The entries of an append. How many and how large they may be, the session itself knows.</summary>
    /// <exception cref="CerverException"><see cref="CerverError.InvalidRequest"/> names the field of the first entry at fault.</exception>
    public static AppendEntries Read(AppendBody body)
    {
        var bodies = body.Entries ?? throw Refuse("entries", "must be an array of entries.");
        var entries = new TranscriptEntry[bodies.Length];
        for (var index = 0; index < bodies.Length; index++)
        {
            entries[index] = Read(bodies[index], index);
        }

        return new(ImmutableCollectionsMarshal.AsImmutableArray(entries), body.ExpectedTotal);
    }

    /// <summary>What the user says next.</summary>
    /// <exception cref="CerverException"><see cref="CerverError.InvalidRequest"/> names the field at fault.</exception>
    public static TranscriptEntry Read(InputBody body)
    {
        if (body.Role is not (null or "user"))
        {
            throw Refuse("role", "must be 'user'; entries of other roles go to '/transcript'.");
        }

        return string.IsNullOrEmpty(body.Content)
            ? throw Refuse("content", "must be a text that is not empty.")
            : new(At: null, EntryRole.User, EntryKinds.Text, body.Content);
    }

    /// <summary>Who a word says speaks.</summary>
    /// <exception cref="CerverException"><see cref="CerverError.InvalidRequest"/> for any other word.</exception>
    public static EntryRole ParseRole(string? word, string field) => word switch
    {
        "user" => EntryRole.User,
        "assistant" => EntryRole.Assistant,
        "tool" => EntryRole.Tool,
        "system" => EntryRole.System,
        _ => throw Refuse(field, "must be one of user, assistant, tool, system."),
    };

    private static TranscriptEntry Read(EntryBody? body, int index)
    {
        if (body is null)
        {
            throw Refuse($"entries[{index}]", "must be an entry.");
        }

        var kind = body.Kind ?? EntryKinds.Text;
        if (kind.Length == 0)
        {
            throw Refuse($"entries[{index}].kind", "must not be empty; leave it out for a text.");
        }

        // A call of a tool may say nothing beside its input. Anything else that says nothing is a mistake, whether it is empty, null or
        // left out.
        if (string.IsNullOrEmpty(body.Content) && !string.Equals(kind, EntryKinds.ToolUse, StringComparison.Ordinal))
        {
            throw Refuse($"entries[{index}].content", "must be a text that is not empty, unless the kind is 'tool_use'.");
        }

        return new(body.At, ParseRole(body.Role, $"entries[{index}].role"), kind, body.Content, body.ToolId, body.ToolName, body.ToolInput, body.IsError);
    }

    private static CerverException Refuse(string field, string rule) => new(CerverError.InvalidRequest, $"'{field}' {rule}", field);
}
