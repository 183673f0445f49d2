using System.Collections.Immutable;
using Cerver.Errors;
using Cerver.Secrets;

namespace Cerver.Tests.Api;

/// <summary>Alice has one secret.</summary>
internal sealed class FakeSecrets(string key) : ISecretGrain
{
    public const string Name = "DEPLOY_TOKEN";
    public const string Value = "s3cret-välue \"q\"";

    /// <summary>A session in which nothing can be noted.</summary>
    public const string EndedSession = "01980000-0000-7000-8000-00000000000e";

    /// <summary>Where her list of accesses goes on, with nothing more.</summary>
    public static readonly SecretAccessCursor Place = new(Examples.Noon, Number: 7);

    private bool IsAlices => string.Equals(SecretKey.Parse(key), "alice", StringComparison.Ordinal);

    public Task<FetchedSecret> FetchAsync(FetchSecret request, CancellationToken cancellationToken = default)
    {
        if (string.Equals(request.SessionId, EndedSession, StringComparison.Ordinal))
        {
            throw new CerverException(CerverError.SessionEnded, "The session has ended.", "session_id");
        }

        return IsAlices && string.Equals(request.Name, Name, StringComparison.Ordinal)
            ? Task.FromResult(new FetchedSecret(Name, new Secret(Value), "env"))
            : throw new CerverException(CerverError.SecretNotFound, "There is no secret of this name; asked: env.");
    }

    public Task<SecretInjection> InjectAsync(InjectSecrets request, CancellationToken cancellationToken = default) =>
        throw new NotSupportedException("Sessions ask for this, and the Api does not.");

    public Task<SecretAccessPage> ListAccessesAsync(SecretAccessFilter filter, CancellationToken cancellationToken = default) => Task.FromResult(new SecretAccessPage(
        IsAlices && filter.After != Place ? [new SecretAccess(Examples.Noon, "ck_123…", SessionId: null, RunId: null, Name, "env", SecretOutcome.Fetched)] : [],
        Next: filter.Limit == 1 && filter.After is null ? Place : null));

    public Task<ImmutableArray<SecretName>> ListAsync(CancellationToken cancellationToken = default) =>
        Task.FromResult<ImmutableArray<SecretName>>(IsAlices ? [new SecretName(Name, "env")] : []);
}
