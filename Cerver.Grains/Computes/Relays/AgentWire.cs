using System.Text.Json;
using System.Text.Json.Serialization;

namespace Cerver.Grains.Computes.Relays;

/// <summary>The API of relays that drive agents, as other programs than ours have it.</summary>
internal static class AgentPaths
{
    /// <summary><c>POST</c> tells an agent what its user says.</summary>
    public static string Input(string remoteId) => $"/api/local-claude/agents/{Uri.EscapeDataString(remoteId)}/input";
}

/// <summary>Opens a sandbox.</summary>
/// <param name="Engine">What executes code in it.</param>
/// <param name="TimeoutMs">When the relay may end it by itself.</param>
/// <param name="Metadata">What the relay is to know of the session. The front door adds how the relay reaches the gateway.</param>
internal sealed record OpenAgentSandbox(string Engine, long TimeoutMs, JsonElement Metadata);

/// <summary>A sandbox that was opened.</summary>
/// <param name="SandboxId">The relay's own name for it.</param>
internal sealed record AgentSandboxOpened(string? SandboxId);

/// <summary>What came of a run. What else a relay says of it is not read, in whatever form it comes.</summary>
/// <param name="Stdout">What it printed there.</param>
/// <param name="Stderr">What it printed there.</param>
/// <param name="ExitCode">How it ended; null when the relay does not know.</param>
internal sealed record AgentResult(string? Stdout = null, string? Stderr = null, int? ExitCode = null);

/// <summary>What the user says.</summary>
/// <param name="Input">The text.</param>
/// <param name="PreLogged">Whether the gateway has it in the transcript already.</param>
/// <param name="CerverSessionId">The session.</param>
/// <param name="CliSessionId">The agent program's own name for the conversation, as the session's metadata has it.</param>
/// <param name="CliTool">The agent program.</param>
/// <param name="WorkingDir">Where it works.</param>
internal sealed record AgentInput(string Input, bool PreLogged, string CerverSessionId, string? CliSessionId, string? CliTool, string? WorkingDir);

/// <summary>How all of it is written.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(OpenAgentSandbox))]
[JsonSerializable(typeof(AgentSandboxOpened))]
[JsonSerializable(typeof(AgentResult))]
[JsonSerializable(typeof(AgentInput))]
internal sealed partial class AgentJson : JsonSerializerContext;
