using Cerver.Errors;
using Cerver.Grains.Secrets.Audit;
using Cerver.Grains.Secrets.Redaction;
using Cerver.Grains.Sessions;
using Cerver.Secrets;
using Cerver.Sessions;
using Microsoft.Extensions.Logging;
using Orleans.Concurrency;

namespace Cerver.Grains.Secrets;

/// <inheritdoc cref="ISecretGrain"/>
[GrainType("secrets"), StatelessWorker, Reentrant]
internal sealed partial class SecretGrain(
    SecretSources sources, TaintRegistry taints, ISecretAuditStore audit, ISessionStore sessions, TimeProvider time, ILogger<SecretGrain> logger) : Grain, ISecretGrain
{
    private const int AskedAtOnce = 8;

    /// <summary>Stands on record for a name of which nobody can say whether it is a value.</summary>
    private const string WithheldName = "[withheld]";

    private string AccountId => SecretKey.Parse(this.GetPrimaryKeyString());

    /// <inheritdoc/>
    public async Task<FetchedSecret> FetchAsync(FetchSecret request, CancellationToken cancellationToken)
    {
        SecretRules.CheckName(request.Name);
        await RequireNotableAsync(request.SessionId, cancellationToken);

        var asked = await AskAsync(request.Name, SecretOutcome.Fetched, cancellationToken);
        var access = new SecretAccess(time.GetUtcNow(), request.Key, request.SessionId, RunId: null, asked.Name, asked.Source, asked.Outcome);
        await RecordAsync([access], asked.Found is null ? [] : [asked.Found], cancellationToken);
        await NoteAsync(access, cancellationToken);
        return asked.Found ?? throw asked.Refusal!;
    }

    /// <inheritdoc/>
    public async Task<SecretInjection> InjectAsync(InjectSecrets request, CancellationToken cancellationToken)
    {
        var accesses = new List<SecretAccess>();
        var found = new List<FetchedSecret>();
        CerverException? refusal = null;
        foreach (var asked in await AskAsync(request.Names, cancellationToken))
        {
            refusal = asked.Refusal ?? SecretRules.RefuseVariable(asked.Found!, found);
            var outcome = refusal is null || asked.Found is null ? asked.Outcome : SecretOutcome.Denied;
            accesses.Add(new SecretAccess(time.GetUtcNow(), request.Key, request.SessionId, request.RunId, asked.Name, asked.Source, outcome));
            if (refusal is not null)
            {
                break;
            }

            found.Add(asked.Found!);
        }

        await RecordAsync([.. accesses], [.. found], cancellationToken);
        return new SecretInjection([.. accesses], refusal is null ? [.. found] : [], refusal);
    }

    /// <inheritdoc/>
    public Task<ImmutableArray<SecretName>> ListAsync(CancellationToken cancellationToken) => sources.ListAsync(AccountId, cancellationToken);

    /// <inheritdoc/>
    public Task<SecretAccessPage> ListAccessesAsync(SecretAccessFilter filter, CancellationToken cancellationToken) => audit.ListAsync(AccountId, filter, cancellationToken);

    /// <summary>Asks for several at once, because the session waits. What comes after a refusal is not given, and not on record.</summary>
    private async Task<List<Asked>> AskAsync(ImmutableArray<string> names, CancellationToken cancellationToken)
    {
        var all = new List<Asked>(names.Length);
        foreach (var some in names.Chunk(AskedAtOnce))
        {
            all.AddRange(await Task.WhenAll(some.Select(name => AskAsync(name, SecretOutcome.Injected, cancellationToken))));
            if (all.Exists(static asked => asked.Found is null))
            {
                break;
            }
        }

        return all;
    }

    private async Task<Asked> AskAsync(string name, SecretOutcome given, CancellationToken cancellationToken)
    {
        var finding = await sources.FindAsync(AccountId, name, cancellationToken);
        if (finding.Found is { } found)
        {
            return new Asked(name, found, found.Source, given, Refusal: null);
        }

        name = await RedactAsync(name);
        return finding.Unavailable is { } unavailable
            ? new Asked(name, Found: null, unavailable.Name, SecretOutcome.Unavailable, unavailable.Refusal)
            : new Asked(name, Found: null, Source: null, finding.Asked.Count > 0 ? SecretOutcome.NotFound : SecretOutcome.Denied, sources.NotFound(name, finding));
    }

    /// <summary>What is put on record of a name that no secret has: whoever mistakes the one for the other sends a value.</summary>
    private async Task<string> RedactAsync(string name)
    {
        try
        {
            return TextRedactor.Redact((await taints.OfAsync(AccountId)).Matcher, name)!;
        }
        catch (CerverException unknown) when (unknown.Code == CerverError.SecretBackendUnavailable)
        {
            // That somebody asked is on record all the same.
            return WithheldName;
        }
    }

    /// <summary>Before a value is given away every silo redacts it, and it is on record who asked.</summary>
    private async Task RecordAsync(ImmutableArray<SecretAccess> accesses, ImmutableArray<FetchedSecret> found, CancellationToken cancellationToken)
    {
        if (!found.IsEmpty)
        {
            await GrainFactory.GetGrain<ITaintGrain>(TaintKey.For(AccountId)).AddAsync(found, cancellationToken);
        }

        await audit.RecordAsync(AccountId, accesses, cancellationToken);
        foreach (var access in accesses)
        {
            LogAsked(AccountId, access.Name, access.Source, access.Outcome, access.SessionId, access.RunId);
        }

        foreach (var secret in found.Where(static secret => !secret.IsRedacted))
        {
            LogTooShort(AccountId, secret.Name, Secret.MinRedactedCharacters);
        }
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

    private Task NoteAsync(SecretAccess access, CancellationToken cancellationToken) => access.SessionId is { } sessionId
        ? GrainFactory.GetGrain<ISessionGrain>(SessionKey.For(AccountId, sessionId))
            .AppendAsync(new AppendEntries([SessionEntries.SecretAccessed(access)]), operation: null, cancellationToken)
        : Task.CompletedTask;

    [LoggerMessage(Level = LogLevel.Information, Message = "Account {AccountId} asked for secret {Name}: {Outcome} from {Source}, session {SessionId}, run {RunId}")]
    private partial void LogAsked(string accountId, string name, string? source, SecretOutcome outcome, string? sessionId, string? runId);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Account {AccountId} was given secret {Name}, which has fewer than {Least} characters and is not redacted")]
    private partial void LogTooShort(string accountId, string name, int least);

    /// <summary>What came of asking: a secret or a refusal, and the name as it is put on record.</summary>
    private sealed record Asked(string Name, FetchedSecret? Found, string? Source, SecretOutcome Outcome, CerverException? Refusal);
}
