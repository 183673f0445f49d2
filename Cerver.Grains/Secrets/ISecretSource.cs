using Cerver.Errors;
using Cerver.Secrets;

namespace Cerver.Grains.Secrets;

/// <summary>A place that has secrets. One instance serves a whole silo; every member may be called at once from anywhere.</summary>
internal interface ISecretSource
{
    /// <summary>The source's word in the contract, such as <c>env</c>.</summary>
    string Name { get; }

    /// <summary>Whether asking costs next to nothing, so that nothing of it is kept in memory.</summary>
    bool IsLocal => false;

    /// <summary>Whether an account may have anything of it. The others are called for no account that it is closed to.</summary>
    ValueTask<bool> IsOpenToAsync(string accountId, CancellationToken cancellationToken);

    /// <summary>The value of a secret, or null when the source has none of this name.</summary>
    /// <exception cref="CerverException"><see cref="CerverError.SecretBackendUnavailable"/>, naming the source, when it cannot be asked or does not let the gateway in.</exception>
    ValueTask<Secret?> FetchAsync(string accountId, string name, CancellationToken cancellationToken);

    /// <summary>The names of the secrets that it has, in no order; names that nobody could ask for are left out.</summary>
    /// <exception cref="CerverException"><see cref="CerverError.SecretBackendUnavailable"/>, naming the source, when it cannot be asked or does not let the gateway in.</exception>
    ValueTask<ImmutableArray<string>> ListAsync(string accountId, CancellationToken cancellationToken);

    /// <summary>A sentence that says how an account gets to have a secret of this name from here.</summary>
    /// <param name="name">The secret's.</param>
    /// <param name="isOpen">Whether the source is open to the account.</param>
    string HowToAdd(string name, bool isOpen);
}
