using Cerver.Errors;
using Orleans.Concurrency;
using Orleans.Services;

namespace Cerver.Secrets;

/// <summary>
/// The values that one account was given: none of them may be written down. The names are kept, the values are in memory only and are read again
/// from their sources after a start.
/// </summary>
/// <remarks>Keyed by <see cref="TaintKey"/>.</remarks>
[Alias("cerver.taints"), GrainInterfaceType("cerver.taints")]
public interface ITaintGrain : IGrainWithStringKey
{
    /// <summary>Makes values known that the account is about to be given. When the task completes every silo redacts them.</summary>
    /// <exception cref="CerverException">
    /// <see cref="CerverError.Conflict"/> when the account was given as many as can be redacted; <see cref="CerverError.PayloadTooLarge"/> for a value that
    /// is too long to be; <see cref="CerverError.StorageUnavailable"/>.
    /// </exception>
    [Alias("add")]
    Task AddAsync(ImmutableArray<FetchedSecret> secrets, CancellationToken cancellationToken = default);

    /// <summary>All values, for a silo that begins to write for the account.</summary>
    /// <exception cref="CerverException">
    /// <see cref="CerverError.SecretBackendUnavailable"/> while a value cannot be read again that the account was given before the start.
    /// </exception>
    [Alias("list"), ResponseTimeout("00:00:30")]
    Task<ImmutableArray<FetchedSecret>> ListAsync(CancellationToken cancellationToken = default);
}

/// <summary>What one silo knows of the values that accounts were given.</summary>
[Alias("cerver.taint-service"), GrainInterfaceType("cerver.taint-service")]
public interface ITaintService : IGrainService
{
    /// <summary>Takes values in: they are redacted from now on.</summary>
    [Alias("add"), AlwaysInterleave]
    Task AddAsync(string accountId, ImmutableArray<FetchedSecret> secrets);

    /// <summary>The values that it knows.</summary>
    [Alias("list"), AlwaysInterleave]
    Task<ImmutableArray<FetchedSecret>> ListAsync(string accountId);
}

/// <summary>The grain key of what an account was given.</summary>
public static class TaintKey
{
    private const string Prefix = "taints:";

    /// <summary>The key of one account.</summary>
    public static string For(string accountId) => $"{Prefix}{accountId}";

    /// <summary>The account that a key names.</summary>
    public static string Parse(string key) => key[Prefix.Length..];
}
