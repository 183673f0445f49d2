using System.Text.Json;
using System.Text.Json.Serialization;
using Cerver.Computes;

namespace Cerver.Grains.Computes.Relays;

/// <summary>The API that our own relay has for its gateway, beside what every relay has. It goes over the machine's channel.</summary>
/// <remarks>
/// A run is started with one request, which is answered when the program is up. What it prints comes as events, numbered from 1 in each run, and the relay keeps all of them until
/// their gateway has acknowledged the last one, which is the run's end. So neither a line that drops nor a gateway that restarts loses any.
/// </remarks>
internal static class RelayPaths
{
    /// <summary>What the relay is and can do.</summary>
    public const string Provider = "/api/cerver/provider";

    /// <summary>Its sandboxes: <c>GET</c> lists, <c>POST</c> opens one.</summary>
    public const string Sandboxes = $"{Provider}/sandboxes";

    /// <summary>One sandbox: <c>DELETE</c> removes it with its files.</summary>
    public static string Sandbox(string sandboxId) => $"{Sandboxes}/{sandboxId}";

    /// <summary><c>POST</c> ends every process of a sandbox and keeps its files.</summary>
    public static string Close(string sandboxId) => $"{Sandbox(sandboxId)}/close";

    /// <summary><c>POST</c> starts a run.</summary>
    public static string Runs(string sandboxId) => $"{Sandbox(sandboxId)}/runs";

    /// <summary><c>POST</c> executes code and answers with all that it printed: with another relay than ours, which has no other way.</summary>
    public static string Run(string sandboxId) => $"{Sandbox(sandboxId)}/run";

    /// <summary><c>POST</c> stops a run.</summary>
    public static string Stop(string sandboxId, string runId) => $"{Runs(sandboxId)}/{runId}/stop";

    /// <summary><c>POST</c> says that nothing of a run need be kept.</summary>
    public static string Forget(string sandboxId, string runId) => $"{Runs(sandboxId)}/{runId}/forget";

    /// <summary><c>POST</c> lists a directory. Which one stands in the body, as with all calls about files: names are bytes, and are in no log.</summary>
    public static string ListFiles(string sandboxId) => $"{Files(sandboxId)}/list";

    /// <summary><c>POST</c> reads a part of a file.</summary>
    public static string ReadFile(string sandboxId) => $"{Files(sandboxId)}/read";

    /// <summary><c>POST</c> removes a file, a link or a directory.</summary>
    public static string DeleteFile(string sandboxId) => $"{Files(sandboxId)}/delete";

    /// <summary><c>POST</c> begins to send a file.</summary>
    public static string Uploads(string sandboxId) => $"{Files(sandboxId)}/uploads";

    /// <summary><c>DELETE</c> forgets what was sent of a file.</summary>
    public static string Upload(string sandboxId, string uploadId) => $"{Uploads(sandboxId)}/{uploadId}";

    /// <summary><c>POST</c> sends the next part of a file.</summary>
    public static string Write(string sandboxId, string uploadId) => $"{Upload(sandboxId, uploadId)}/write";

    /// <summary><c>POST</c> puts a file that was sent in its place.</summary>
    public static string Place(string sandboxId, string uploadId) => $"{Upload(sandboxId, uploadId)}/place";

    private static string Files(string sandboxId) => $"{Sandbox(sandboxId)}/files";
}

/// <summary>The words of the types of events and frames.</summary>
internal static class RelayWords
{
    /// <summary>The member of a machine's capabilities that says that it speaks this.</summary>
    public const string Capability = "cerver_runs";

    /// <summary>The member of a machine's capabilities that says that it gives access to the files of its sandboxes.</summary>
    public const string Files = "files";

    /// <summary>The member of a machine's capabilities that says whether its sandboxes may reach the network.</summary>
    public const string Network = "network";

    /// <summary>The member of a machine's capabilities that has the limits of its sandboxes.</summary>
    public const string Limits = "limits";

    /// <summary>A run printed something.</summary>
    public const string Output = "run_output";

    /// <summary>A run is over.</summary>
    public const string End = "run_end";

    /// <summary>A run is there, and nothing has happened in it.</summary>
    public const string Going = "run_going";

    /// <summary>A sandbox went down, and the gateway did not ask for it; and why what needs one that is up is refused.</summary>
    public const string Closed = "sandbox_closed";

    /// <summary>A sandbox is up, and the relay has just dialled in.</summary>
    public const string Open = "sandbox_open";

    /// <summary>The status of a sandbox that is up.</summary>
    public const string ReadyStatus = "ready";

    /// <summary>The status of one that is not.</summary>
    public const string ClosedStatus = "closed";

    /// <summary>The frame that says which events were taken.</summary>
    public const string Acknowledgement = "ack";

    /// <summary>One of the outputs of a program.</summary>
    public const string Stdout = "stdout";

    /// <summary>The other one.</summary>
    public const string Stderr = "stderr";
}

/// <summary>Opens a sandbox, a new one or again one that was closed. Repeating it is fine.</summary>
/// <param name="SandboxId">Its id; without one the relay makes one.</param>
/// <param name="Network">Whether it needs the network.</param>
internal sealed record OpenRelaySandbox(string? SandboxId = null, bool Network = false);

/// <summary>A sandbox of a relay.</summary>
/// <param name="SandboxId">Its id.</param>
/// <param name="Status"><c>ready</c> while it is up, else <c>closed</c>.</param>
/// <param name="Generation">Which opening of it, a number of its relay's; 0 while it is closed.</param>
internal sealed record RelaySandbox(string SandboxId, string Status, long Generation = 0);

/// <summary>The sandboxes of a relay.</summary>
internal sealed record RelaySandboxes(ImmutableArray<RelaySandbox> Sandboxes);

/// <summary>Starts a run. Repeating it is fine.</summary>
/// <param name="RunId">The run.</param>
/// <param name="SessionId">The session that it belongs to; its events say so.</param>
/// <param name="Runtime"><c>shell</c>, <c>node</c> or <c>python</c>.</param>
/// <param name="Code">The code.</param>
/// <param name="Envs">Variables.</param>
/// <param name="MaxOutputBytes">Output beyond need not be kept.</param>
/// <param name="TimeoutMs">How long it may take. The relay stops it then, whether its gateway is there or not, and its end says so.</param>
internal sealed record StartRelayRun(
    string RunId, string SessionId, string Runtime, string Code, ImmutableDictionary<string, string> Envs, long MaxOutputBytes, long TimeoutMs);

/// <summary>Executes code and waits.</summary>
/// <param name="Code">The code.</param>
/// <param name="Timeout">How long it may take, in seconds.</param>
/// <param name="Envs">Variables.</param>
internal sealed record RelayCode(string Code, double? Timeout = null, ImmutableDictionary<string, string>? Envs = null);

/// <summary>Stops a run.</summary>
/// <param name="GraceMs">How long it may take to clean up.</param>
internal sealed record StopRelayRun(long GraceMs);

/// <summary>Why a relay refused.</summary>
/// <param name="Error">The word of the contract for it.</param>
/// <param name="Message">What to do.</param>
/// <param name="Field">The field at fault, or null.</param>
internal sealed record RelayRefusal(string Error, string Message, string? Field = null);

/// <summary>Lists a directory. Repeating it is fine, as it is with all calls about files.</summary>
/// <param name="Path">The directory; left out for the workspace.</param>
/// <param name="After">The name after which to begin.</param>
/// <param name="Limit">How many entries.</param>
internal sealed record ListRelayFiles(byte[]? Path, byte[]? After, int Limit);

/// <summary>A page of a directory.</summary>
/// <param name="Entries">In the order of the bytes of their names.</param>
/// <param name="Next">The name after which the next page begins; left out when there is none.</param>
internal sealed record RelayFileListing(ImmutableArray<RelayFileEntry> Entries, byte[]? Next = null);

/// <summary>One entry of a directory.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Type">What it is: a word of <see cref="RelayFileTypes"/>.</param>
/// <param name="Size">How many bytes a file has.</param>
/// <param name="ModifiedAt">When it was last changed.</param>
internal sealed record RelayFileEntry(byte[]? Name, string? Type, long Size, DateTimeOffset ModifiedAt);

/// <summary>Reads a part of a file, or with no bytes only what there is to know of it.</summary>
/// <param name="Path">The file.</param>
/// <param name="Offset">Where the part begins.</param>
/// <param name="Count">How many bytes, at most 512 KiB.</param>
/// <param name="FileId">What the first part said, so that all parts are of one file.</param>
internal sealed record ReadRelayFile(byte[]? Path, long Offset, int Count, string? FileId = null);

/// <summary>A part of a file.</summary>
/// <param name="IsDirectory">Whether it is a directory; there are no bytes then.</param>
/// <param name="Size">How many bytes the file has now.</param>
/// <param name="ModifiedAt">When it was last changed.</param>
/// <param name="FileId">Tells it from whatever takes its place: letters, digits and <c>-</c>.</param>
/// <param name="Version">Is another one after a change: letters, digits and <c>-</c>.</param>
/// <param name="MaxBytes">How many bytes of it a caller may be given at once.</param>
/// <param name="Data">The bytes.</param>
internal sealed record RelayFilePart(bool IsDirectory, long Size, DateTimeOffset ModifiedAt, string? FileId, string? Version, long MaxBytes, byte[]? Data);

/// <summary>Begins to send a file.</summary>
/// <param name="UploadId">The gateway's name for it.</param>
/// <param name="Size">How many bytes there will be; left out when nobody knows yet.</param>
internal sealed record BeginRelayUpload(string? UploadId, long? Size);

/// <summary>Sends the next part of a file.</summary>
/// <param name="Offset">Where the part begins.</param>
/// <param name="Data">The bytes, at most 512 KiB.</param>
internal sealed record WriteRelayUpload(long Offset, byte[]? Data);

/// <summary>Puts a file in its place.</summary>
/// <param name="Path">The place.</param>
/// <param name="Size">How many bytes were sent.</param>
internal sealed record PlaceRelayUpload(byte[]? Path, long Size);

/// <summary>A file is in its place.</summary>
/// <param name="IsNew">Whether nothing was there before.</param>
internal sealed record RelayUploadPlaced(bool IsNew);

/// <summary>Removes a file, a link or a directory.</summary>
/// <param name="Path">What to remove.</param>
/// <param name="Recursive">Whether a directory goes with all that is in it.</param>
internal sealed record DeleteRelayFile(byte[]? Path, bool Recursive);

/// <summary>The words for what stands in a directory.</summary>
internal static class RelayFileTypes
{
    private static readonly ImmutableArray<(string Word, SandboxEntryKind Kind)> All =
        [("file", SandboxEntryKind.File), ("directory", SandboxEntryKind.Directory), ("symlink", SandboxEntryKind.Symlink), ("other", SandboxEntryKind.Other)];

    /// <summary>The word for a kind.</summary>
    public static string Of(SandboxEntryKind kind) => All.First(known => known.Kind == kind).Word;

    /// <summary>The kind that a word names.</summary>
    public static SandboxEntryKind Find(string? word) =>
        All.Where(known => known.Word.Equals(word, StringComparison.Ordinal)).Select(static known => known.Kind).FirstOrDefault(SandboxEntryKind.Other);
}

/// <summary>Something that happened in a sandbox.</summary>
/// <param name="Type">What: a word of <see cref="RelayWords"/>.</param>
/// <param name="SandboxId">Where.</param>
/// <param name="RunId">In which run.</param>
/// <param name="Sequence">Its number in the run, from 1; 0 when nothing happened.</param>
/// <param name="Stream">Which output.</param>
/// <param name="Data">What was printed, base64 of at most 64 KiB.</param>
/// <param name="ExitCode">How the program ended; null when nobody knows.</param>
/// <param name="Generation">Which opening of the sandbox, with what happened to the sandbox itself.</param>
/// <param name="TimedOut">True with an end that the relay made because the time of the run was over, else null.</param>
internal sealed record RelayEvent(
    string Type,
    string SandboxId,
    string? RunId = null,
    long Sequence = 0,
    string? Stream = null,
    byte[]? Data = null,
    int? ExitCode = null,
    long Generation = 0,
    bool? TimedOut = null);

/// <summary>A frame from a relay that carries an event.</summary>
internal sealed record RelayEventFrame(string Type, string SessionId, RelayEvent Event);

/// <summary>A frame to a relay: events were taken. When it is fewer than before, another process has begun to take them, and what comes after is sent again.</summary>
/// <param name="Type"><see cref="RelayWords.Acknowledgement"/>.</param>
/// <param name="SandboxId">The sandbox.</param>
/// <param name="RunId">The run, or null for the sandbox itself.</param>
/// <param name="Sequence">The last of them; of the sandbox itself, which opening of it.</param>
/// <param name="IsOver">Whether nobody wants to hear of it any more: what is left is ended and forgotten.</param>
internal sealed record RelayAcknowledgement(string Type, string SandboxId, string? RunId, long Sequence, bool IsOver);

/// <summary>A frame to a relay.</summary>
internal sealed record RelayFrame(
    string Type, string? RequestId = null, string? Method = null, string? Path = null, JsonElement? Body = null, string? SandboxId = null, string? RunId = null, long Sequence = 0, bool IsOver = false);

/// <summary>A frame from a relay that answers a request.</summary>
internal sealed record RelayResponse(string Type, string RequestId, int Status, ImmutableDictionary<string, string> Headers, JsonElement? Body);

/// <summary>How all of it is written.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(OpenRelaySandbox))]
[JsonSerializable(typeof(RelaySandbox))]
[JsonSerializable(typeof(RelaySandboxes))]
[JsonSerializable(typeof(StartRelayRun))]
[JsonSerializable(typeof(RelayCode))]
[JsonSerializable(typeof(StopRelayRun))]
[JsonSerializable(typeof(RelayRefusal))]
[JsonSerializable(typeof(ListRelayFiles))]
[JsonSerializable(typeof(RelayFileListing))]
[JsonSerializable(typeof(ReadRelayFile))]
[JsonSerializable(typeof(RelayFilePart))]
[JsonSerializable(typeof(BeginRelayUpload))]
[JsonSerializable(typeof(WriteRelayUpload))]
[JsonSerializable(typeof(PlaceRelayUpload))]
[JsonSerializable(typeof(RelayUploadPlaced))]
[JsonSerializable(typeof(DeleteRelayFile))]
[JsonSerializable(typeof(RelayEventFrame))]
[JsonSerializable(typeof(RelayAcknowledgement))]
[JsonSerializable(typeof(RelayFrame))]
[JsonSerializable(typeof(RelayResponse))]
internal sealed partial class RelayJson : JsonSerializerContext;
