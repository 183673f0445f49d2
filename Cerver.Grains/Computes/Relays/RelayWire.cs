using System.Text.Json;
using System.Text.Json.Serialization;

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

    /// <summary><c>POST</c> executes code and answers with all that it printed, as every relay does.</summary>
    public static string Run(string sandboxId) => $"{Sandbox(sandboxId)}/run";

    /// <summary><c>POST</c> stops a run.</summary>
    public static string Stop(string sandboxId, string runId) => $"{Runs(sandboxId)}/{runId}/stop";

    /// <summary><c>POST</c> says that nothing of a run need be kept.</summary>
    public static string Forget(string sandboxId, string runId) => $"{Runs(sandboxId)}/{runId}/forget";
}

/// <summary>The words of the types of events and frames.</summary>
internal static class RelayWords
{
    /// <summary>The member of a machine's capabilities that says that it speaks this.</summary>
    public const string Capability = "cerver_runs";

    /// <summary>A run printed something.</summary>
    public const string Output = "run_output";

    /// <summary>A run is over.</summary>
    public const string End = "run_end";

    /// <summary>A run is there, and nothing has happened in it.</summary>
    public const string Going = "run_going";

    /// <summary>A sandbox went down, and the gateway did not ask for it.</summary>
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
internal sealed record RelaySandbox(string SandboxId, string Status);

/// <summary>The sandboxes of a relay.</summary>
internal sealed record RelaySandboxes(ImmutableArray<RelaySandbox> Sandboxes);

/// <summary>Starts a run. Repeating it is fine.</summary>
/// <param name="RunId">The run.</param>
/// <param name="SessionId">The session that it belongs to; its events say so.</param>
/// <param name="Runtime"><c>shell</c>, <c>node</c> or <c>python</c>.</param>
/// <param name="Code">The code.</param>
/// <param name="Envs">Variables.</param>
/// <param name="MaxOutputBytes">Output beyond need not be kept.</param>
/// <param name="TimeoutMs">How long it may take. The gateway looks to that; the relay does some seconds later, should the gateway be away.</param>
internal sealed record StartRelayRun(
    string RunId, string SessionId, string Runtime, string Code, ImmutableDictionary<string, string> Envs, long MaxOutputBytes, long TimeoutMs);

/// <summary>Executes code and waits.</summary>
/// <param name="Code">The code.</param>
/// <param name="Timeout">How long it may take, in seconds.</param>
/// <param name="Envs">Variables.</param>
/// <param name="Runtime"><c>shell</c>, <c>node</c> or <c>python</c>.</param>
internal sealed record RelayCode(string Code, double? Timeout = null, ImmutableDictionary<string, string>? Envs = null, string? Runtime = null);

/// <summary>What came of it.</summary>
internal sealed record RelayResult(string Stdout, string Stderr, int? ExitCode, long DurationMs, bool Truncated);

/// <summary>Stops a run.</summary>
/// <param name="GraceMs">How long it may take to clean up.</param>
internal sealed record StopRelayRun(long GraceMs);

/// <summary>Why a relay refused.</summary>
/// <param name="Error">The word of the contract for it.</param>
/// <param name="Message">What to do.</param>
internal sealed record RelayRefusal(string Error, string Message);

/// <summary>Something that happened in a sandbox.</summary>
/// <param name="Type">What: a word of <see cref="RelayWords"/>.</param>
/// <param name="SandboxId">Where.</param>
/// <param name="RunId">In which run.</param>
/// <param name="Sequence">Its number in the run, from 1; 0 when nothing happened.</param>
/// <param name="Stream">Which output.</param>
/// <param name="Data">What was printed, base64 of at most 64 KiB.</param>
/// <param name="ExitCode">How the program ended; null when nobody knows.</param>
internal sealed record RelayEvent(
    string Type, string SandboxId, string? RunId = null, long Sequence = 0, string? Stream = null, byte[]? Data = null, int? ExitCode = null);

/// <summary>A frame from a relay that carries an event.</summary>
internal sealed record RelayEventFrame(string Type, string SessionId, RelayEvent Event);

/// <summary>A frame to a relay: events were taken. When it is fewer than before, another process has begun to take them, and what comes after is sent again.</summary>
/// <param name="Type"><see cref="RelayWords.Acknowledgement"/>.</param>
/// <param name="SandboxId">The sandbox.</param>
/// <param name="RunId">The run, or null for the sandbox itself.</param>
/// <param name="Sequence">The last of them.</param>
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
[JsonSerializable(typeof(RelayResult))]
[JsonSerializable(typeof(StopRelayRun))]
[JsonSerializable(typeof(RelayRefusal))]
[JsonSerializable(typeof(RelayEventFrame))]
[JsonSerializable(typeof(RelayAcknowledgement))]
[JsonSerializable(typeof(RelayFrame))]
[JsonSerializable(typeof(RelayResponse))]
internal sealed partial class RelayJson : JsonSerializerContext;
