using Cerver.Runs;
using Cerver.Secrets;

namespace Cerver.Computes;

/// <summary>Brings a sandbox up.</summary>
/// <param name="SessionId">The session it belongs to.</param>
/// <param name="Provider">Who provides it.</param>
/// <param name="Requirements">What it must have.</param>
/// <param name="ComputeId">The machine of the account that is to have it, or null when the provider decides.</param>
/// <param name="Metadata">What a machine that drives agents is to know of the session, a JSON object, or null.</param>
[GenerateSerializer, Immutable, Alias("cerver.compute.attach")]
public sealed record AttachSandbox(
    [property: Id(0)] string SessionId,
    [property: Id(1)] string Provider,
    [property: Id(2)] ComputeRequirements Requirements,
    [property: Id(3)] string? ComputeId = null,
    [property: Id(4)] string? Metadata = null);

/// <summary>What a session's user says to its agent.</summary>
/// <param name="Text">The text.</param>
/// <param name="CliSessionId">The agent program's own name for the conversation, or null.</param>
/// <param name="CliTool">The agent program, or null.</param>
/// <param name="WorkingDirectory">Where it works, or null.</param>
[GenerateSerializer, Immutable, Alias("cerver.compute.tell-agent")]
public sealed record TellAgent(
    [property: Id(0)] string Text,
    [property: Id(1)] string? CliSessionId = null,
    [property: Id(2)] string? CliTool = null,
    [property: Id(3)] string? WorkingDirectory = null);

/// <summary>Code to execute in a sandbox.</summary>
/// <param name="RunId">The run, whose row is on disk.</param>
/// <param name="Code">The code.</param>
/// <param name="Runtime">What executes it.</param>
/// <param name="Timeout">How long it may take.</param>
/// <param name="Environment">Variables for this run alone.</param>
/// <param name="Secrets">More of them, whose values are redacted from whatever it prints.</param>
[GenerateSerializer, Immutable, Alias("cerver.compute.run")]
public sealed record SandboxRun(
    [property: Id(0)] string RunId,
    [property: Id(1)] string Code,
    [property: Id(2)] SandboxRuntime Runtime,
    [property: Id(3)] TimeSpan Timeout,
    [property: Id(4)] ImmutableDictionary<string, string> Environment,
    [property: Id(5)] ImmutableArray<FetchedSecret> Secrets = default);
