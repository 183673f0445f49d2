using Cerver.Errors;
using Orleans.Concurrency;

namespace Cerver.Computes;

/// <summary>Which machines an account has. What is known of each stands at its <see cref="IMachineGrain"/>, which alone calls the members that change something.</summary>
/// <remarks>Keyed by <see cref="AccountMachinesKey"/>.</remarks>
[Alias("cerver.account-machines"), GrainInterfaceType("cerver.account-machines")]
public interface IAccountMachinesGrain : IGrainWithStringKey
{
    /// <summary>The ids, in the order in which they came.</summary>
    [Alias("list"), ReadOnly]
    Task<ImmutableArray<string>> ListAsync(CancellationToken cancellationToken = default);

    /// <summary>Takes a machine in. Repeating it is fine.</summary>
    /// <exception cref="CerverException"><see cref="CerverError.Conflict"/> when the account has as many as it may.</exception>
    [Alias("add")]
    Task AddAsync(string computeId, CancellationToken cancellationToken = default);

    /// <summary>Takes a machine out.</summary>
    /// <returns>Whether it was there, or was taken out lately.</returns>
    [Alias("remove")]
    Task<bool> RemoveAsync(string computeId, CancellationToken cancellationToken = default);
}

/// <summary>The grain key of an account's list of machines.</summary>
public static class AccountMachinesKey
{
    private const string Prefix = "machines:";

    /// <summary>The key of one account's list.</summary>
    public static string For(string accountId) => $"{Prefix}{accountId}";

    /// <summary>The account that a key names.</summary>
    public static string Parse(string key) => key[Prefix.Length..];
}
