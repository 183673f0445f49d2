using System.Collections.Frozen;
using System.Diagnostics;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using Cerver.Api.Answers;
using Cerver.Api.Runs;
using Cerver.Computes;

namespace Cerver.Api.Computes;

/// <summary>What an account can run on.</summary>
public sealed record ComputeListAnswer
{
    /// <summary>The account's machines and the providers of this gateway, machines first.</summary>
    public required ImmutableArray<ComputeAnswer> Computes { get; init; }
}

/// <summary>One compute that an account can use.</summary>
public sealed record ComputeAnswer
{
    /// <summary><c>comp_…</c> for a machine, <c>provider_…</c> for a provider as a whole.</summary>
    public required string ComputeId { get; init; }

    /// <summary>For people.</summary>
    public required string Label { get; init; }

    /// <summary>The provider's name.</summary>
    public required string Provider { get; init; }

    /// <summary>
    /// <c>ready</c> when usable, <c>offline</c> for a machine that is not connected, <c>unconfigured</c> when it lacks something.
    /// </summary>
    public required string Status { get; init; }

    /// <summary>What it lacks; null when ready.</summary>
    public required string? Reason { get; init; }

    /// <summary><c>private</c> for the account's own machines, <c>shared</c> otherwise.</summary>
    public required string Scope { get; init; }

    /// <summary>What it is, a word such as <c>host</c>.</summary>
    public required string Kind { get; init; }

    /// <summary>When the machine last sent a heartbeat, or registered; null for a provider, which sends none.</summary>
    public required DateTime? LastHeartbeatAt { get; init; }

    /// <summary>What it can do.</summary>
    public required ComputeCapabilities Capabilities { get; init; }

    /// <summary>The account that owns the machine; null for a provider.</summary>
    public required string? OwnerId { get; init; }

    /// <summary>What else the machine says of itself. Not in lists.</summary>
    [JsonConverter(typeof(RawJsonConverter))]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Metadata { get; init; }

    internal static ComputeAnswer Of(ComputeInfo compute) => new()
    {
        ComputeId = compute.ComputeId,
        Label = compute.Label,
        Provider = compute.Provider,
        Status = compute.Status switch
        {
            ComputeStatus.Ready => "ready",
            ComputeStatus.Offline => "offline",
            ComputeStatus.Unconfigured => "unconfigured",
            _ => throw new UnreachableException($"No word for {compute.Status}."),
        },
        Reason = compute.Reason,
        Scope = compute.Scope,
        Kind = compute.Kind,
        LastHeartbeatAt = compute.Machine?.LastHeartbeatAt.UtcDateTime,
        Capabilities = ComputeCapabilities.Of(compute),
        OwnerId = compute.Machine?.OwnerId,
        Metadata = compute.Machine?.Metadata,
    };
}

/// <summary>A machine is forgotten.</summary>
public sealed record ComputeDeleted
{
    /// <summary>Always true.</summary>
    public bool Ok { get; } = true;

    /// <summary>Its id.</summary>
    public required string ComputeId { get; init; }
}

/// <summary>What a compute can do.</summary>
public sealed record ComputeCapabilities
{
    /// <summary>What can execute code there: <c>shell</c>, <c>node</c>, <c>python</c>.</summary>
    public required ImmutableArray<string> Runtimes { get; init; }

    /// <summary>Agent programs that are installed there; a provider's sandboxes have none.</summary>
    public required ImmutableArray<string> CliTools { get; init; }

    /// <summary>Whether a sandbox may reach the network.</summary>
    public required bool Network { get; init; }

    /// <summary>Whether a program can be sent input while it runs.</summary>
    public required bool Stdin { get; init; }

    /// <summary>Whether programs go on when the gateway restarts, and are found again.</summary>
    public required bool Reattach { get; init; }

    /// <summary>Whether the provider keeps what a program printed, for a gateway that was away.</summary>
    public required bool Replay { get; init; }

    /// <summary>Whether a sandbox can go down and come up again with the files it had.</summary>
    public required bool Pause { get; init; }

    /// <summary>Whether the state of a sandbox can be copied.</summary>
    public required bool Snapshot { get; init; }

    /// <summary>Whether files can be read and written from outside.</summary>
    public required bool Files { get; init; }

    /// <summary>Whether a port of a sandbox can be reached from outside.</summary>
    public required bool Ports { get; init; }

    /// <summary>What keeps a sandbox from taking the whole machine.</summary>
    public required SandboxLimitsAnswer Limits { get; init; }

    /// <summary>What else a machine says that it can do, as it said it.</summary>
    [JsonExtensionData]
    public IDictionary<string, JsonElement> Others { get; } = new Dictionary<string, JsonElement>(StringComparer.Ordinal);

    internal static ComputeCapabilities Of(ComputeInfo compute)
    {
        var said = compute.Machine?.Capabilities is { } json ? JsonElement.Parse(Encoding.UTF8.GetBytes(json)).EnumerateObject().ToList() : [];
        var capabilities = compute.Capabilities ?? Cerver.Computes.ComputeCapabilities.Unknown;
        var features = capabilities.Features;
        var answer = new ComputeCapabilities
        {
            Runtimes = TextsOf(said, "runtimes") ?? [.. compute.Runtimes.Select(RunAnswer.WordOf)],
            CliTools = TextsOf(said, "cli_tools") ?? [],
            Network = compute.Network,
            Stdin = features.HasFlag(ComputeFeatures.Stdin),
            Reattach = features.HasFlag(ComputeFeatures.Reattach),
            Replay = features.HasFlag(ComputeFeatures.Replay),
            Pause = features.HasFlag(ComputeFeatures.Pause),
            Snapshot = features.HasFlag(ComputeFeatures.Snapshot),
            Files = features.HasFlag(ComputeFeatures.Files),
            Ports = features.HasFlag(ComputeFeatures.Ports),
            Limits = new()
            {
                MemoryBytes = LimitAnswer.Of(capabilities.Memory),
                Cpus = LimitAnswer.Of(capabilities.Cpu),
                Processes = LimitAnswer.Of(capabilities.Processes),
                DiskBytes = LimitAnswer.Of(capabilities.Disk),
            },
        };
        foreach (var member in said.Where(static member => !Known.Contains(member.Name)))
        {
            answer.Others[member.Name] = member.Value;
        }

        return answer;
    }

    /// <summary>The members that we say ourselves, whatever a machine says.</summary>
    private static FrozenSet<string> Known { get; } =
        AnswerJson.Default.ComputeCapabilities.Properties.Where(static property => !property.IsExtensionData).Select(static property => property.Name).ToFrozenSet(StringComparer.Ordinal);

    private static ImmutableArray<string>? TextsOf(List<JsonProperty> said, string name) =>
        said.Find(member => member.NameEquals(name)) is { Value.ValueKind: JsonValueKind.Array } list
            ? [.. list.Value.EnumerateArray().Where(static item => item.ValueKind == JsonValueKind.String).Select(static item => item.GetString()!)]
            : null;
}

/// <summary>What keeps a sandbox from taking the whole machine.</summary>
public sealed record SandboxLimitsAnswer
{
    /// <summary>How much memory it may use.</summary>
    public required LimitAnswer MemoryBytes { get; init; }

    /// <summary>How many processors it may keep busy.</summary>
    public required LimitAnswer Cpus { get; init; }

    /// <summary>How many processes and threads it may have.</summary>
    public required LimitAnswer Processes { get; init; }

    /// <summary>How much its files may take.</summary>
    public required LimitAnswer DiskBytes { get; init; }
}

/// <summary>One limit of a sandbox.</summary>
public sealed record LimitAnswer
{
    /// <summary>
    /// What keeps it: <c>cgroup</c> (the kernel, for the sandbox as a whole), <c>rlimit</c> (the kernel, by its user or for each process), <c>quota</c>
    /// (the file system), <c>watch</c> (it is measured every so often, and what is over is ended), <c>affinity</c> (the kernel, by keeping it to so many
    /// processors) or <c>none</c>.
    /// </summary>
    public required string HeldBy { get; init; }

    /// <summary>The most there may be; null when nothing keeps it.</summary>
    public required decimal? Value { get; init; }

    internal static LimitAnswer Of(ComputeLimit limit) => new()
    {
        HeldBy = ComputeHoldWords.Of(limit.Hold),
        Value = limit.Value,
    };
}
