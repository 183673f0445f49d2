using Cerver.Errors;
using Orleans.Concurrency;

namespace Cerver.Computes;

/// <summary>One machine of an account: what it said of itself, whether it can be reached, and the way to it.</summary>
/// <remarks>
/// Keyed by <see cref="MachineKey"/>. The machine dials in to any front door, which holds the socket and tells this grain of it. What is registered is stored; which
/// channel there is is not, and a new activation hears of it from the front door within seconds.
/// </remarks>
[Alias("cerver.machine"), GrainInterfaceType("cerver.machine")]
public interface IMachineGrain : IGrainWithStringKey
{
    /// <summary>Registers the machine, or once more with what it says now. It is durable when the task completes.</summary>
    /// <exception cref="CerverException">
    /// <see cref="CerverError.InvalidRequest"/> or <see cref="CerverError.PayloadTooLarge"/> names the field at fault; <see cref="CerverError.Conflict"/> when the
    /// account has as many machines as it may.
    /// </exception>
    [Alias("register")]
    Task<ComputeInfo> RegisterAsync(RegisterMachine request, CancellationToken cancellationToken = default);

    /// <summary>Notes that the machine is there, and what has changed. It is durable when the task completes.</summary>
    /// <exception cref="CerverException">
    /// <see cref="CerverError.NotFound"/> when it is not registered; <see cref="CerverError.InvalidRequest"/> or <see cref="CerverError.PayloadTooLarge"/> names the
    /// field at fault.
    /// </exception>
    [Alias("heartbeat")]
    Task<ComputeInfo> HeartbeatAsync(MachineHeartbeat heartbeat, CancellationToken cancellationToken = default);

    /// <summary>The machine as it is now, or null when it is not registered.</summary>
    [Alias("describe"), ReadOnly]
    Task<ComputeInfo?> DescribeAsync(CancellationToken cancellationToken = default);

    /// <summary>Forgets the machine and ends its channel. Repeating it is fine.</summary>
    /// <exception cref="CerverException"><see cref="CerverError.NotFound"/> when it was never registered.</exception>
    [Alias("delete")]
    Task DeleteAsync(CancellationToken cancellationToken = default);

    /// <summary>The machine has dialled in. The channel that it had before is ended, and what was under way on it fails.</summary>
    /// <param name="channelId">The channel, by an id that no other one has, also no later one of the same machine.</param>
    /// <param name="channel">The front door's end of it.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>Whether it is the machine's channel now. A call that comes late does not bring back one that was replaced.</returns>
    /// <exception cref="CerverException"><see cref="CerverError.NotFound"/> when the machine is not registered.</exception>
    [Alias("connect"), AlwaysInterleave]
    Task<bool> ConnectAsync(string channelId, IMachineChannel channel, CancellationToken cancellationToken = default);

    /// <summary>Says that a channel is still there, again and again: an activation that has not heard of it takes it over.</summary>
    /// <returns>Whether it is the machine's channel. If not, another one has taken its place and it is to end.</returns>
    [Alias("renew"), AlwaysInterleave]
    Task<bool> RenewAsync(string channelId, IMachineChannel channel, CancellationToken cancellationToken = default);

    /// <summary>A channel has ended. When another one has taken its place nothing happens.</summary>
    [Alias("disconnect"), AlwaysInterleave]
    Task DisconnectAsync(string channelId, CancellationToken cancellationToken = default);

    /// <summary>Sends a request to the machine and waits for its answer. Any number may be under way at once, and each has its own time.</summary>
    /// <exception cref="CerverException">
    /// <see cref="CerverError.ComputeOffline"/> when it cannot be reached, or when its channel ends before it has answered, which the message tells apart;
    /// <see cref="CerverError.ProviderUnavailable"/> when it does not answer in time; <see cref="CerverError.RateLimited"/> when too much is under way;
    /// <see cref="CerverError.PayloadTooLarge"/>, and nothing was sent.
    /// </exception>
    [Alias("request"), AlwaysInterleave, ResponseTimeout("00:03:10")]
    Task<MachineAnswer> RequestAsync(MachineRequest request, CancellationToken cancellationToken = default);

    /// <summary>The machine has answered a request. An answer that nobody waits for any more is dropped.</summary>
    [Alias("answer"), AlwaysInterleave]
    Task AnswerAsync(string channelId, string requestId, MachineAnswer answer, CancellationToken cancellationToken = default);
}

/// <summary>What a machine says of itself when it registers.</summary>
/// <param name="Label">For people, at most 200 characters; null for its id.</param>
/// <param name="Kind">A word, at most 64 characters; null for <c>host</c>.</param>
/// <param name="Capabilities">What it can do, a JSON object of at most 64 KiB, or null.</param>
/// <param name="Metadata">What else it says of itself, a JSON object of at most 64 KiB, or null.</param>
[GenerateSerializer, Immutable, Alias("cerver.machine.register")]
public sealed record RegisterMachine(
    [property: Id(0)] string? Label = null,
    [property: Id(1)] string? Kind = null,
    [property: Id(2)] string? Capabilities = null,
    [property: Id(3)] string? Metadata = null);

/// <summary>What a machine says every minute.</summary>
/// <param name="Status">
/// A word of its own, at most 64 characters. Only <c>offline</c> and <c>unconfigured</c> mean that it cannot be used; null stands for <c>online</c>.
/// </param>
/// <param name="Capabilities">What it can do now, a JSON object of at most 64 KiB; null for what it said before.</param>
/// <param name="Metadata">What else it says of itself now, a JSON object of at most 64 KiB; null for what it said before.</param>
[GenerateSerializer, Immutable, Alias("cerver.machine.heartbeat")]
public sealed record MachineHeartbeat(
    [property: Id(0)] string? Status = null,
    [property: Id(1)] string? Capabilities = null,
    [property: Id(2)] string? Metadata = null);

/// <summary>A request to the API that a machine has for its gateway.</summary>
/// <param name="Method"><c>GET</c>, <c>POST</c>, <c>PUT</c>, <c>PATCH</c> or <c>DELETE</c>.</param>
/// <param name="Path">The path and the query, from <c>/</c> on.</param>
/// <param name="Headers">Headers by name.</param>
/// <param name="Body">JSON, or null for none.</param>
/// <param name="Deadline">How long to wait for the answer; more than 54 s of a <c>GET</c> and 179 s of others count as that, because the machine gives up then.</param>
/// <param name="Introduces">
/// Whether the front door adds to the body's <c>metadata</c> how the machine reaches the gateway: the address that it dialled, and the token that it dialled in with. So
/// the token is nowhere but where it was already.
/// </param>
[GenerateSerializer, Immutable, Alias("cerver.machine.request")]
public sealed record MachineRequest(
    [property: Id(0)] string Method,
    [property: Id(1)] string Path,
    [property: Id(2)] ImmutableDictionary<string, string> Headers,
    [property: Id(3)] string? Body,
    [property: Id(4)] TimeSpan Deadline,
    [property: Id(5)] bool Introduces = false);

/// <summary>What a machine answered.</summary>
/// <param name="Status">The HTTP status.</param>
/// <param name="Headers">Headers by name, as they were written.</param>
/// <param name="Body">JSON, or null for none.</param>
[GenerateSerializer, Immutable, Alias("cerver.machine.answer")]
public sealed record MachineAnswer(
    [property: Id(0)] int Status,
    [property: Id(1)] ImmutableDictionary<string, string> Headers,
    [property: Id(2)] string? Body);

/// <summary>The grain key of a machine: its account and its id.</summary>
public static class MachineKey
{
    /// <summary>What machines have for a provider.</summary>
    public const string Provider = "cerver_local_provider";

    private const string Prefix = "machine:";

    /// <summary>The key of one machine.</summary>
    public static string For(string accountId, string computeId) => $"{Prefix}{accountId}/{computeId}";

    /// <summary>The account and the machine that a key names.</summary>
    public static (string AccountId, string ComputeId) Parse(string key)
    {
        var slash = key.IndexOf('/', StringComparison.Ordinal);
        return (key[Prefix.Length..slash], key[(slash + 1)..]);
    }
}
