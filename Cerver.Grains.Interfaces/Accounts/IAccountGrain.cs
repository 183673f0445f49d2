using Cerver.Computes;
using Orleans.Concurrency;

namespace Cerver.Accounts;

/// <summary>One account: the computes it can use.</summary>
/// <remarks>Keyed by <see cref="AccountKey"/>.</remarks>
[Alias("cerver.account"), GrainInterfaceType("cerver.account")]
public interface IAccountGrain : IGrainWithStringKey
{
    /// <summary>The account's machines and the providers of this gateway, machines first.</summary>
    [Alias("list-computes"), ReadOnly]
    Task<ImmutableArray<ComputeInfo>> ListComputesAsync(CancellationToken cancellationToken = default);
}

/// <summary>The grain key of an account.</summary>
public static class AccountKey
{
    private const string Prefix = "account:";

    /// <summary>The key of one account.</summary>
    public static string For(string accountId) => $"{Prefix}{accountId}";

    /// <summary>The account that a key names.</summary>
    public static string Parse(string key) => key[Prefix.Length..];
}
