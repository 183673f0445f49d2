using Cerver.Errors;
using Cerver.Grains.Sessions;
using Cerver.Secrets;
using Cerver.Sessions;
using Microsoft.Extensions.Logging;
using Orleans.Concurrency;

namespace Cerver.Grains.Secrets;

/// <inheritdoc cref="ISecretGrain"/>
[GrainType("secrets"), StatelessWorker, Reentrant]
internal sealed partial class SecretGrain(IEnumerable<ISecretSource> sources, ISessionStore sessions, ILogger<SecretGrain> logger) : Grain, ISecretGrain
{
    private string AccountId => SecretKey.Parse(this.GetPrimaryKeyString());

    /// <inheritdoc/>
    public async Task<FetchedSecret> FetchAsync(FetchSecret request, CancellationToken cancellationToken)
    {
        SecretRules.CheckName(request.Name);
        await RequireNotableAsync(request.SessionId, cancellationToken);

        var open = await OpenSourcesAsync(cancellationToken);
        var fetched = await FindAsync(open, request.Name, cancellationToken);
        var outcome = fetched is not null ? SecretOutcome.Fetched : open.Count > 0 ? SecretOutcome.NotFound : SecretOutcome.Denied;
        await NoteAsync(request, fetched?.Source, outcome, cancellationToken);
        LogAsked(AccountId, request.Name, fetched?.Source, outcome, request.SessionId);
        return fetched ?? throw SecretRules.NotFound(request.Name, [.. sources], open);
    }

    /// <inheritdoc/>
    public async Task<ImmutableArray<SecretName>> ListAsync(CancellationToken cancellationToken)
    {
        var names = new List<SecretName>();
        foreach (var source in await OpenSourcesAsync(cancellationToken))
        {
            names.AddRange((await source.ListAsync(AccountId, cancellationToken)).Select(name => new SecretName(name, source.Name)));
        }

        return [.. names.DistinctBy(static secret => secret.Name, StringComparer.Ordinal).OrderBy(static secret => secret.Name, StringComparer.Ordinal)];
    }

    private async Task<List<ISecretSource>> OpenSourcesAsync(CancellationToken cancellationToken)
    {
        var open = new List<ISecretSource>();
        foreach (var source in sources)
        {
            if (await source.IsOpenToAsync(AccountId, cancellationToken))
            {
                open.Add(source);
            }
        }

        return open;
    }

    private async Task<FetchedSecret?> FindAsync(List<ISecretSource> open, string name, CancellationToken cancellationToken)
    {
        foreach (var source in open)
        {
            if (await source.FetchAsync(AccountId, name, cancellationToken) is { } value)
            {
                return new FetchedSecret(name, value, source.Name);
            }
        }

        return null;
    }

    /// <summary>Refuses a session in which nothing can be noted, before a source hears of anything.</summary>
    private async Task RequireNotableAsync(string? sessionId, CancellationToken cancellationToken)
    {
        if (sessionId is null)
        {
            return;
        }

        var session = Ids.IsSession(sessionId) ? await sessions.FindAsync(AccountId, sessionId, cancellationToken) : null;
        if (session is null)
        {
            throw new CerverException(CerverError.NotFound, "There is no such session in this account.", "session_id");
        }

        if (session.Status == SessionStatus.Ended)
        {
            throw new CerverException(
                CerverError.SessionEnded, "The session has ended and takes no note of the access. Name another session, or none.", "session_id");
        }
    }

    private Task NoteAsync(FetchSecret request, string? source, SecretOutcome outcome, CancellationToken cancellationToken)
    {
        if (request.SessionId is not { } sessionId)
        {
            return Task.CompletedTask;
        }

        var session = GrainFactory.GetGrain<ISessionGrain>(SessionKey.For(AccountId, sessionId));
        var note = SessionEntries.SecretAccessed(request.Name, source, SecretOutcomes.WordOf(outcome));
        return session.AppendAsync(new AppendEntries([note]), operation: null, cancellationToken);
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Account {AccountId} asked for secret {Name}: {Outcome} from {Source}, session {SessionId}")]
    private partial void LogAsked(string accountId, string name, string? source, SecretOutcome outcome, string? sessionId);
}
