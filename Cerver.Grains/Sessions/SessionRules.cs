using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Cerver.Errors;
using Cerver.Grains.Computes;
using Cerver.Runs;
using Cerver.Sessions;

namespace Cerver.Grains.Sessions;

/// <summary>What may go into a session. Pure: no clock, no I/O.</summary>
internal static class SessionRules
{
    /// <summary>How long a run may take at most.</summary>
    public static readonly TimeSpan MaxRunTimeout = TimeSpan.FromHours(24);

    /// <summary>What an entry is, at most.</summary>
    public const int MaxKindCharacters = 64;

    /// <summary>A word of a caller's, at most.</summary>
    public const int MaxWordCharacters = 200;

    private const int NameCharacters = 60;
    private const int MaxReasonCharacters = 2_000;
    private const int MaxTaskBytes = 64 * 1024;
    private const int MaxEnvironmentBytes = 64 * 1024;
    private static readonly TimeSpan MinRunTimeout = TimeSpan.FromSeconds(1);

    /// <summary>Refuses a creation with a field beyond its limit.</summary>
    public static void Check(CreateSession request, SessionLimits limits)
    {
        CheckName(request.SessionName, limits);
        CheckCharacters(request.SessionType, "session_type", MaxWordCharacters);
        CheckCharacters(request.Workload, "workload", MaxWordCharacters);
        CheckCharacters(request.Harness, "harness", MaxWordCharacters);
        CheckCharacters(request.ParentSessionId, "parent_session_id", MaxWordCharacters);
        CheckBytes(request.Task, "task", MaxTaskBytes);
        CheckBytes(request.Metadata, "metadata", limits.MaxMetadataBytes);
        CheckBytes(request.Requirements, "requirements", limits.MaxMetadataBytes);
    }

    /// <summary>The record of a session as it begins, before it has compute and before it was ever committed.</summary>
    public static SessionRecord NewRecord(CreateSession request, string accountId, string sessionId, DateTimeOffset now) => new(
        sessionId,
        accountId,
        request.SessionName ?? NameFor(request.Task, sessionId),
        SessionStatus.Idle,
        EndReason: null,
        request.SessionType,
        request.Harness,
        ComputeSelection.NoProvider,
        ComputeId: null,
        SandboxId: null,
        request.Task,
        request.Workload,
        SessionSecrets.Join(request.Requirements, request.Secrets),
        request.Metadata,
        new SessionMetrics(),
        request.ParentSessionId,
        PreviousSessionId: null,
        CreatedAt: now,
        UpdatedAt: now,
        TranscriptTotal: 0,
        Version: 0);

    /// <summary>Refuses a run on a session that has nothing to run it on, or that runs as much as it may.</summary>
    public static void CheckRunnable(SessionRecord record, int going, SessionLimits limits)
    {
        if (record.ComputeId is null)
        {
            throw new CerverException(CerverError.NoCompute, "This session only holds a transcript. POST …/compute gives it compute to run code on.");
        }

        if (going >= limits.MaxConcurrentRuns)
        {
            throw new CerverException(CerverError.RateLimited, $"{going} runs are going on in this session; at most that many may. Try again when one is over.");
        }
    }

    /// <summary>The sandbox that has the session's files.</summary>
    /// <exception cref="CerverException"><see cref="CerverError.SessionEnded"/>, <see cref="CerverError.NoCompute"/>.</exception>
    public static string SandboxOf(SessionRecord record) => record switch
    {
        { Status: SessionStatus.Ended } => throw new CerverException(CerverError.SessionEnded, "The session has ended, and its files are gone. Create a new one."),
        { SandboxId: { } sandboxId } => sandboxId,
        _ => throw new CerverException(CerverError.NoCompute, "This session only holds a transcript and has no files. POST …/compute gives it compute, which has some."),
    };

    /// <summary>The record after a change of what people call the session or of what its callers noted on it.</summary>
    public static SessionRecord Update(SessionRecord record, UpdateSession request, SessionLimits limits)
    {
        CheckName(request.SessionName, limits);
        return record with
        {
            SessionName = request.SessionName ?? record.SessionName,
            Metadata = request.Metadata is null ? record.Metadata : Merge(record.Metadata, request.Metadata, limits),
        };
    }

    /// <summary>Refuses a name beyond its limit.</summary>
    public static void CheckName(string? name, SessionLimits limits) => CheckCharacters(name, "session_name", limits.MaxNameCharacters);

    /// <summary>Refuses a reason beyond its limit.</summary>
    public static void Check(ReportStatus report)
    {
        CheckCharacters(report.Reason, "end_reason", MaxReasonCharacters);
        if (report.Reason == EndReasons.ImportIncomplete)
        {
            throw new CerverException(CerverError.InvalidRequest, $"'end_reason' must not be '{EndReasons.ImportIncomplete}', which the gateway says of imports.", "end_reason");
        }
    }

    /// <summary>Refuses entries of which one is not as the contract wants it, naming it by its place in the request.</summary>
    public static void Check(AppendEntries request, SessionRecord record, SessionLimits limits)
    {
        var entries = request.Entries;
        if (entries.IsEmpty)
        {
            throw new CerverException(CerverError.InvalidRequest, "'entries' must have at least one entry.", "entries");
        }

        if (entries.Length > limits.MaxEntriesPerAppend)
        {
            throw new CerverException(
                CerverError.InvalidRequest,
                $"'entries' has {entries.Length} entries; at most {limits.MaxEntriesPerAppend} fit into one request. Send them in parts.",
                "entries");
        }

        for (var i = 0; i < entries.Length; i++)
        {
            Check(entries[i], i, limits);
        }

        if (request.ExpectedTotal is { } expected && expected != record.TranscriptTotal)
        {
            throw new CerverException(
                CerverError.Conflict,
                $"The transcript has {record.TranscriptTotal} entries, not {expected}. Read what is new and decide again.",
                "expected_total",
                transcriptTotal: record.TranscriptTotal);
        }
    }

    /// <summary>Refuses an input that is not as the contract wants it.</summary>
    public static void CheckInput(TranscriptEntry entry, SessionLimits limits)
    {
        CheckContent(entry, "content", limits);
    }

    /// <summary>Refuses a run with a field beyond its limit.</summary>
    public static void Check(StartRun request, SessionLimits limits)
    {
        if (string.IsNullOrEmpty(request.Code))
        {
            throw new CerverException(CerverError.InvalidRequest, "'code' must not be empty.", "code");
        }

        CheckBytes(request.Code, "code", limits.MaxCodeBytes);
        if (request.Timeout < MinRunTimeout || request.Timeout > MaxRunTimeout)
        {
            throw new CerverException(CerverError.InvalidRequest, "'timeout' must be between 1 and 86400 seconds.", "timeout");
        }

        var bytes = 0;
        foreach (var (name, value) in request.Environment)
        {
            if (name.Length == 0 || name.Contains('=', StringComparison.Ordinal) || name.Contains('\0', StringComparison.Ordinal) || value.Contains('\0', StringComparison.Ordinal))
            {
                throw new CerverException(
                    CerverError.InvalidRequest, "'envs' has a variable that no program can be given: a name without '=' and no zero character is needed.", "envs");
            }

            bytes += Encoding.UTF8.GetByteCount(name) + Encoding.UTF8.GetByteCount(value);
        }

        if (bytes > MaxEnvironmentBytes)
        {
            throw new CerverException(CerverError.PayloadTooLarge, $"'envs' has {bytes} bytes; at most {MaxEnvironmentBytes} are allowed.", "envs");
        }
    }

    /// <summary>The metadata after a change: members replaced one by one, and removed where the change says null.</summary>
    public static string? Merge(string? metadata, string changes, SessionLimits limits)
    {
        var merged = metadata is null ? [] : JsonNode.Parse(metadata)!.AsObject();
        foreach (var (name, value) in JsonNode.Parse(changes)!.AsObject())
        {
            if (value is null)
            {
                merged.Remove(name);
            }
            else
            {
                merged[name] = value.DeepClone();
            }
        }

        var text = merged.ToJsonString(new JsonSerializerOptions { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping });
        CheckBytes(text, "metadata", limits.MaxMetadataBytes);
        return text;
    }

    /// <summary>What people call a session that was given no name: the beginning of its task, or its id's.</summary>
    public static string NameFor(string? task, string sessionId, int length = NameCharacters)
    {
        var text = task.AsSpan().Trim();
        if (text.IsEmpty)
        {
            return $"session {sessionId[..8]}";
        }

        var end = text.IndexOfAny('\r', '\n');
        text = end < 0 ? text : text[..end];
        if (text.Length <= length)
        {
            return text.ToString();
        }

        // Not in the middle of a surrogate pair.
        var cut = char.IsHighSurrogate(text[length - 2]) ? length - 2 : length - 1;
        return $"{text[..cut]}…";
    }

    private static void Check(TranscriptEntry entry, int index, SessionLimits limits)
    {
        if (entry.Kind.Length is 0 or > MaxKindCharacters)
        {
            throw new CerverException(
                CerverError.InvalidRequest, $"'entries[{index}].kind' must have 1 to {MaxKindCharacters} characters.", $"entries[{index}].kind");
        }

        CheckCharacters(entry.ToolId, $"entries[{index}].tool_id", MaxWordCharacters);
        CheckCharacters(entry.ToolName, $"entries[{index}].tool_name", MaxWordCharacters);
        if (entry.Content is not { Length: > 0 } && entry.Kind == EntryKinds.ToolUse)
        {
            CheckBytes(entry.ToolInput, $"entries[{index}].tool_input", limits.MaxEntryBytes);
            return;
        }

        CheckContent(entry, $"entries[{index}].content", limits);
        if (entry.ToolInput is not null)
        {
            CheckBytes(entry.ToolInput, $"entries[{index}].tool_input", limits.MaxEntryBytes);
        }
    }

    private static void CheckContent(TranscriptEntry entry, string field, SessionLimits limits)
    {
        if (string.IsNullOrEmpty(entry.Content))
        {
            throw new CerverException(CerverError.InvalidRequest, $"'{field}' must be a string that is not empty.", field);
        }

        CheckBytes(entry.Content, field, limits.MaxEntryBytes);
    }

    private static void CheckCharacters(string? text, string field, int limit)
    {
        if (text?.Length > limit)
        {
            throw new CerverException(CerverError.InvalidRequest, $"'{field}' has {text.Length} characters; at most {limit} are allowed.", field);
        }
    }

    private static void CheckBytes(string? text, string field, int limit)
    {
        // A character takes at most three bytes, so most texts need not be counted.
        if (text is not null && text.Length > limit / 3 && Encoding.UTF8.GetByteCount(text) > limit)
        {
            throw new CerverException(
                CerverError.PayloadTooLarge, $"'{field}' has {Encoding.UTF8.GetByteCount(text)} bytes; at most {limit} are allowed.", field);
        }
    }
}
