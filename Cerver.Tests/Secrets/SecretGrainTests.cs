using System.Collections.Immutable;
using System.Text.Json;
using Cerver.Computes;
using Cerver.Errors;
using Cerver.Grains.Secrets;
using Cerver.Secrets;
using Cerver.Sessions;
using Microsoft.Extensions.DependencyInjection;
using static Cerver.Tests.GrainCluster;

namespace Cerver.Tests.Secrets;

/// <summary>Two sources, of which the second is closed to accounts that begin with <c>closed</c>, as is the first.</summary>
public sealed class SecretGrainTests : IAsyncLifetime
{
    private const string Value = "value-of-the-second";

    private readonly ScriptedSource _first = new("first", "BOTH", "value-of-the-first");
    private readonly ScriptedSource _second = new("second", "BOTH", "hidden", "SECOND", Value);
    private readonly GrainCluster _cluster;

    public SecretGrainTests() =>
        _cluster = new() { Configure = silo => silo.Services.AddSingleton<ISecretSource>(_first).AddSingleton<ISecretSource>(_second) };

    public Task InitializeAsync() => _cluster.InitializeAsync();

    public Task DisposeAsync() => _cluster.DisposeAsync();

    [Fact]
    public async Task A_secret_is_fetched_from_the_first_source_that_has_it()
    {
        var secrets = Secrets(NewAccount());

        var both = await secrets.FetchAsync(new("BOTH"));
        var second = await secrets.FetchAsync(new("SECOND"));
        var names = await secrets.ListAsync();

        Assert.Equal(("value-of-the-first", "first", Value, "second"), (both.Value.Reveal(), both.Source, second.Value.Reveal(), second.Source));
        Assert.Equal([new("BOTH", "first"), new("SECOND", "second")], names.AsEnumerable());
    }

    [Fact]
    public async Task The_sessions_transcript_notes_what_was_fetched_and_what_was_not_there()
    {
        var (accountId, sessionId) = await CreateAsync();

        await Secrets(accountId).FetchAsync(new("SECOND", sessionId));
        var refusal = await Assert.ThrowsAsync<CerverException>(() => Secrets(accountId).FetchAsync(new("NOTHING", sessionId)));

        Assert.Equal(CerverError.SecretNotFound, refusal.Code);
        Assert.Equal($"There is no secret 'NOTHING'; asked: first, second. {ClosedHints} Ask first. Ask second.", refusal.Message);
        var entries = await EntriesAsync(accountId, sessionId);
        Assert.All(entries, static entry => Assert.Equal((EntryRole.System, "secret_access", true), (entry.Role, entry.Kind, entry.At is not null)));
        Assert.Equal([("secret_access", "SECOND", "second", "fetched"), ("secret_access", "NOTHING", null, "not_found")], entries.Select(NoteOf));
        Assert.DoesNotContain(entries, static entry => entry.Content!.Contains(Value, StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_value_that_is_sent_as_a_name_is_not_put_on_record()
    {
        var (accountId, sessionId) = await CreateAsync();
        await Secrets(accountId).FetchAsync(new("SECOND"));

        await Assert.ThrowsAsync<CerverException>(() => Secrets(accountId).FetchAsync(new(Value, sessionId)));

        Assert.Equal([("secret_access", "[secret:SECOND]", null, "not_found")], (await EntriesAsync(accountId, sessionId)).Select(NoteOf));
        Assert.Equal(["[secret:SECOND]", "SECOND"], (await Secrets(accountId).ListAccessesAsync(new(Limit: 10))).Accesses.Select(static access => access.Name));
    }

    [Fact]
    public async Task Nothing_is_given_away_and_nothing_noted_when_the_access_cannot_be_recorded()
    {
        var (accountId, sessionId) = await CreateAsync();
        await _cluster.ExecuteAsync("create trigger refusal before insert on secret_access begin select raise(abort, 'no more records'); end");

        var refusal = await Assert.ThrowsAsync<CerverException>(() => Secrets(accountId).FetchAsync(new("SECOND", sessionId, "ck_1234…")));
        await _cluster.ExecuteAsync("drop trigger refusal");

        Assert.DoesNotContain(Value, refusal.ToString(), StringComparison.Ordinal);
        Assert.Empty(await EntriesAsync(accountId, sessionId));
        Assert.Empty((await Secrets(accountId).ListAccessesAsync(new(Limit: 10))).Accesses);
        Assert.Equal(Value, (await Secrets(accountId).FetchAsync(new("SECOND", sessionId, "ck_1234…"))).Value.Reveal());
    }

    [Fact]
    public async Task An_account_that_no_source_is_open_to_is_denied_and_its_session_says_so()
    {
        var (accountId, sessionId) = await CreateAsync($"closed-{Guid.NewGuid():n}");

        var refusal = await Assert.ThrowsAsync<CerverException>(() => Secrets(accountId).FetchAsync(new("SECOND", sessionId)));

        Assert.Equal(CerverError.SecretNotFound, refusal.Code);
        Assert.StartsWith("No source of secrets is open to this account.", refusal.Message, StringComparison.Ordinal);
        Assert.Empty(await Secrets(accountId).ListAsync());
        Assert.Equal([("secret_access", "SECOND", null, "denied")], (await EntriesAsync(accountId, sessionId)).Select(NoteOf));
    }

    [Fact]
    public async Task No_source_is_asked_for_a_session_that_takes_no_note()
    {
        var (accountId, sessionId) = await CreateAsync();
        await _cluster.Grains.GetGrain<ISessionGrain>(SessionKey.For(accountId, sessionId)).EndAsync(purge: false);
        var (_, anothers) = await CreateAsync();

        foreach (var (session, code) in ((string, CerverError)[])[
            (sessionId, CerverError.SessionEnded), (anothers, CerverError.NotFound), ("01980000-0000-7000-8000-00000000ffff", CerverError.NotFound), ("\0", CerverError.NotFound)])
        {
            var refusal = await Assert.ThrowsAsync<CerverException>(() => Secrets(accountId).FetchAsync(new("SECOND", session)));
            Assert.Equal((code, "session_id"), (refusal.Code, refusal.Field));
        }

        Assert.Equal(0, _first.Asked + _second.Asked);
        Assert.Empty(await EntriesAsync(accountId, sessionId));
    }

    [Theory]
    [InlineData("")]
    [InlineData("a b")]
    [InlineData("../x")]
    public async Task A_name_that_cannot_be_one_is_refused_and_not_repeated(string name)
    {
        var refusal = await Assert.ThrowsAsync<CerverException>(() => Secrets(NewAccount()).FetchAsync(new(name)));

        Assert.Equal((CerverError.InvalidRequest, "name", 0), (refusal.Code, refusal.Field, _first.Asked));
    }

    /// <summary>The gateway's own sources are there too, and closed to the accounts of these tests.</summary>
    private const string ClosedHints =
        "To open the environment of the gateway to it, name this account in the setting Cerver:Secrets:Environment:Accounts. " +
        "To have Infisical asked, connect a project of your own with POST /v2/account/infisical, or have one connected with the settings Cerver:Secrets:Infisical and this account named in its Accounts. " +
        "To have a Vault asked, connect it with the settings Cerver:Secrets:Vault, and name this account in its Accounts.";

    private ISecretGrain Secrets(string accountId) => _cluster.Grains.GetGrain<ISecretGrain>(SecretKey.For(accountId));

    private async Task<(string AccountId, string SessionId)> CreateAsync(string? account = null)
    {
        var (session, accountId, sessionId) = _cluster.NewSession(account);
        await session.CreateAsync(Request(ComputeChoice.None));
        return (accountId, sessionId);
    }

    private async Task<ImmutableArray<TranscriptEntry>> EntriesAsync(string accountId, string sessionId) =>
        (await _cluster.Recall.ReadSessionAsync(accountId, sessionId, new())).Entries;

    private static (string? Type, string? Name, string? Source, string? Outcome) NoteOf(TranscriptEntry entry)
    {
        using var note = JsonDocument.Parse(entry.Content!);
        string? Text(string member) => note.RootElement.GetProperty(member).GetString();
        return (Text("type"), Text("name"), Text("source"), Text("outcome"));
    }
}
