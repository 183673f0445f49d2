using System.Collections.Concurrent;
using Cerver.Errors;
using Cerver.Grains.Secrets;
using Cerver.Grains.Secrets.Infisical;
using Cerver.Secrets;
using Cerver.Tests.Storage;
using Microsoft.Extensions.DependencyInjection;
using static Cerver.Tests.GrainCluster;

namespace Cerver.Tests.Secrets;

/// <summary>The vaults of accounts, over either database.</summary>
public abstract class InfisicalVaultGrainTests : IAsyncLifetime
{
    private const string ClientSecret = "a-client-secret-nobody-may-see";

    private readonly ScriptedVerifier _verifier = new();
    private readonly GrainCluster _cluster;
    private readonly string _account = NewAccount();

    private protected InfisicalVaultGrainTests(TestedDatabase database) =>
        _cluster = new() { Database = database, Configure = silo => silo.Services.AddSingleton<IInfisicalVerifier>(_verifier) };

    private IInfisicalVaultGrain Vaults => _cluster.Grains.GetGrain<IInfisicalVaultGrain>(InfisicalVaultKey.For(_account));

    public Task InitializeAsync() => _cluster.InitializeAsync();

    public Task DisposeAsync() => _cluster.DisposeAsync();

    [Fact]
    public async Task A_vault_is_made_once_and_given_out_whole_to_the_source_of_secrets()
    {
        var id = NewId();

        var made = await Vaults.CreateAsync(id, Fields());
        var again = await Vaults.CreateAsync(id, Fields() with { ProjectId = "another" });

        Assert.Equal(made, again);
        Assert.Equal(
            new InfisicalVaultRecord(id, "Team", "p1", "prod", "/", "https://app.infisical.com", "c1", IsDefault: true, made.CreatedAt, LastVerifiedAt: null, LastVerifyError: null), made);
        Assert.Equal([made], (await Vaults.ListAsync()).AsEnumerable());
        Assert.Equal([new InfisicalVault("https://app.infisical.com", "p1", "prod", "/", "c1", new Secret(ClientSecret))], await OpenAsync());
    }

    [Fact]
    public async Task The_default_is_asked_first_and_then_the_oldest()
    {
        var (first, second, third) = (await CreateAsync(), await CreateAsync(), await CreateAsync(Fields() with { IsDefault = true }));

        Assert.Equal([(third, true), (first, false), (second, false)], await OrderAsync());
        await Vaults.UpdateAsync(second, new(IsDefault: true));
        Assert.Equal([(second, true), (first, false), (third, false)], await OrderAsync());
        await Vaults.DeleteAsync(second);
        Assert.Equal([(first, true), (third, false)], await OrderAsync());
        await Vaults.DeleteAsync(third);
        await Vaults.DeleteAsync(first);
        Assert.Empty(await OrderAsync());
        Assert.Empty(await OpenAsync());
    }

    [Fact]
    public async Task A_deletion_is_repeated_without_harm_and_a_late_creation_brings_nothing_back()
    {
        var id = await CreateAsync();

        await Vaults.DeleteAsync(id);
        await Vaults.DeleteAsync(id);
        var late = await Assert.ThrowsAsync<CerverException>(() => Vaults.CreateAsync(id, Fields()));

        Assert.Equal(CerverError.Conflict, late.Code);
        Assert.Empty(await Vaults.ListAsync());
    }

    [Fact]
    public async Task An_account_has_at_most_twenty()
    {
        for (var i = 0; i < InfisicalVaultRules.MaxVaults; i++)
        {
            await CreateAsync();
        }

        var refusal = await Assert.ThrowsAsync<CerverException>(() => CreateAsync());

        Assert.Equal((CerverError.Conflict, 20), (refusal.Code, (await Vaults.ListAsync()).Length));
    }

    [Fact]
    public async Task Another_account_sees_and_changes_nothing()
    {
        var id = await CreateAsync();
        var other = _cluster.Grains.GetGrain<IInfisicalVaultGrain>(InfisicalVaultKey.For(NewAccount()));

        Assert.Empty(await other.ListAsync());
        Assert.Empty(await other.OpenAsync());
        foreach (var call in (Func<Task>[])[() => other.UpdateAsync(id, new(Label: "Mine")), () => other.DeleteAsync(id), () => other.VerifyAsync(id)])
        {
            Assert.Equal(CerverError.NotFound, (await Assert.ThrowsAsync<CerverException>(call)).Code);
        }
    }

    [Fact]
    public async Task What_came_of_a_verification_is_noted_and_forgotten_when_the_access_changes()
    {
        var id = await CreateAsync();

        var good = await Vaults.VerifyAsync(id);
        _verifier.Fault = "It did not let the gateway in.";
        var bad = await Vaults.VerifyAsync(id);
        var renamed = await Vaults.UpdateAsync(id, new(Label: "Renamed"));
        var moved = await Vaults.UpdateAsync(id, new(Environment: "dev"));

        Assert.Equal((true, null), (good.LastVerifiedAt is not null, good.LastVerifyError));
        Assert.Equal((true, _verifier.Fault), (bad.LastVerifiedAt >= good.LastVerifiedAt, bad.LastVerifyError));
        Assert.Equal(bad with { Label = "Renamed" }, renamed);
        Assert.Equal((null, null), (moved.LastVerifiedAt, moved.LastVerifyError));
        Assert.All(_verifier.Asked, static vault => Assert.Equal((ClientSecret, "p1"), (vault.Credential.Reveal(), vault.ProjectId)));
    }

    [Fact]
    public async Task While_Infisical_is_asked_the_vault_is_used_and_changed_and_whoever_asks_too_shares_the_answer()
    {
        var id = await CreateAsync();
        _verifier.Answer = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);

        var (first, second) = (Vaults.VerifyAsync(id), Vaults.VerifyAsync(id));
        await _verifier.BegunAsync();
        Assert.Single(await OpenAsync());
        await Vaults.UpdateAsync(id, new(ProjectId: "p2"));
        _verifier.Answer.SetResult();

        // It was not that access that was verified.
        Assert.Equal(("p2", null), ((await first).ProjectId, (await first).LastVerifiedAt));
        Assert.Equal(await first, await second);
        Assert.Single(_verifier.Asked);
    }

    [Fact]
    public async Task A_caller_who_goes_away_stops_no_verification()
    {
        var id = await CreateAsync();
        _verifier.Answer = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using var patience = new CancellationTokenSource();

        var left = Vaults.VerifyAsync(id, patience.Token);
        await _verifier.BegunAsync();
        var stayed = Vaults.VerifyAsync(id);
        await patience.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => left);
        _verifier.Answer.SetResult();

        Assert.NotNull((await stayed).LastVerifiedAt);
    }

    [Fact]
    public async Task A_credential_is_kept_nowhere_in_the_clear_and_is_of_no_use_elsewhere()
    {
        var id = await CreateAsync();
        var protector = _cluster.Services.GetRequiredService<ICredentialProtector>();
        var text = protector.Protect(_account, id, new Secret(ClientSecret));

        Assert.DoesNotContain(ClientSecret, text, StringComparison.Ordinal);
        Assert.Equal(ClientSecret, protector.Unprotect(_account, id, text).Reveal());
        foreach (var (account, record, sent) in ((string, string, string)[])[("another", id, text), (_account, NewId(), text), (_account, id, "nonsense"), (_account, id, text[..^4] + "AAAA")])
        {
            var refusal = Assert.Throws<CerverException>(() => protector.Unprotect(account, record, sent));
            Assert.Equal(CerverError.SecretBackendUnavailable, refusal.Code);
            Assert.Contains("send the credential again with PATCH", refusal.Message, StringComparison.Ordinal);
        }

        Assert.Empty(await _cluster.FindInStorageAsync(ClientSecret));
        Assert.NotEmpty(await _cluster.FindInStorageAsync(id));
    }

    [Fact]
    public async Task A_refused_vault_changes_nothing()
    {
        var refusal = await Assert.ThrowsAsync<CerverException>(() => CreateAsync(Fields() with { SiteUrl = "https://10.0.0.1" }));

        Assert.Equal((CerverError.InvalidRequest, "site_url"), (refusal.Code, refusal.Field));
        Assert.Contains("Cerver:Secrets:Infisical:Sites", refusal.Message, StringComparison.Ordinal);
        Assert.Empty(await Vaults.ListAsync());
    }

    private static string NewId() => Ids.NewVault(TimeProvider.System);

    private static InfisicalVaultFields Fields() => new(Label: "Team", ProjectId: "p1", ClientId: "c1", ClientSecret: new Secret(ClientSecret));

    private async Task<string> CreateAsync(InfisicalVaultFields? fields = null) => (await Vaults.CreateAsync(NewId(), fields ?? Fields())).VaultId;

    private async Task<IEnumerable<(string, bool)>> OrderAsync() => (await Vaults.ListAsync()).Select(static vault => (vault.VaultId, vault.IsDefault));

    private async Task<IEnumerable<InfisicalVault>> OpenAsync() => await new InfisicalAccountVaults(_cluster.Grains).OfAsync(_account, CancellationToken.None);

    /// <summary>Answers as a test wants.</summary>
    private sealed class ScriptedVerifier : IInfisicalVerifier
    {
        private readonly TaskCompletionSource _begun = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public ConcurrentQueue<InfisicalVault> Asked { get; } = new();

        public string? Fault { get; set; }

        public TaskCompletionSource? Answer { get; set; }

        public Task BegunAsync() => _begun.Task.WaitAsync(TimeSpan.FromMinutes(1));

        public async Task VerifyAsync(InfisicalVault vault, CancellationToken cancellationToken)
        {
            Asked.Enqueue(vault);
            _begun.TrySetResult();
            if (Answer is { } answer)
            {
                await answer.Task.WaitAsync(cancellationToken);
            }

            if (Fault is { } fault)
            {
                throw new CerverException(CerverError.SecretBackendUnavailable, fault);
            }
        }
    }
}

/// <inheritdoc/>
public sealed class SqliteInfisicalVaultGrainTests() : InfisicalVaultGrainTests(TestedDatabase.Sqlite);

/// <inheritdoc/>
public sealed class PostgresInfisicalVaultGrainTests() : InfisicalVaultGrainTests(TestedDatabase.Postgres);
