using Cerver.Errors;
using Cerver.Grains.Secrets;
using Cerver.Grains.Secrets.Infisical;
using Cerver.Secrets;
using Cerver.Tests.Storage;
using Microsoft.Extensions.DependencyInjection;

namespace Cerver.Tests.Clustered;

/// <summary>The vaults of accounts where there are several silos: what one encrypts, the others decrypt.</summary>
public sealed class InfisicalVaultClusterTests : IAsyncLifetime
{
    private static readonly Secret Credential = new("a-client-secret-nobody-may-see");

    private readonly string _account = GrainCluster.NewAccount();
    private PostgresTestDatabase _database = null!;
    private SiloCluster _cluster = null!;

    private IInfisicalVaultGrain Vaults => _cluster.Client.GetGrain<IInfisicalVaultGrain>(InfisicalVaultKey.For(_account));

    public async Task InitializeAsync()
    {
        _database = await PostgresTestDatabase.CreateAsync();
        _cluster = await SiloCluster.StartAsync(_database, silos: 2);
    }

    public async Task DisposeAsync()
    {
        await _cluster.DisposeAsync();
        await _database.DisposeAsync();
    }

    [Fact]
    public async Task What_one_silo_encrypts_the_other_decrypts_also_when_both_are_the_first_to_need_a_key()
    {
        var protectors = _cluster.Silos.Select(static silo => silo.ServiceProvider.GetRequiredService<ICredentialProtector>()).ToList();

        var texts = await Task.WhenAll(protectors.Select(protector => Task.Run(() => protector.Protect(_account, "vault_1", Credential))));

        Assert.All(
            from protector in protectors from text in texts select protector.Unprotect(_account, "vault_1", text),
            static credential => Assert.Equal(Credential, credential));
        Assert.InRange(Convert.ToInt32(await _database.ScalarAsync("select count(*) from data_protection_key"), System.Globalization.CultureInfo.InvariantCulture), 1, 2);
    }

    [Fact]
    public async Task A_vault_outlives_its_activation_and_its_silo()
    {
        var made = await CreateAsync();

        await _cluster.DeactivateAsync(Vaults.GetGrainId());
        Assert.Equal([made], (await Vaults.ListAsync()).AsEnumerable());
        await _cluster.KillAsync(_cluster.Silos[1]);

        Assert.Equal([made], (await Vaults.ListAsync()).AsEnumerable());
        Assert.Equal([Credential], (await new InfisicalAccountVaults(_cluster.Client).OfAsync(_account, CancellationToken.None)).Select(static vault => vault.Credential));
    }

    [Fact]
    public async Task What_the_database_does_not_take_is_refused_and_not_there()
    {
        var made = await CreateAsync();
        await _database.ScalarAsync("alter table grain_state rename to away");

        var refusal = await Assert.ThrowsAsync<CerverException>(CreateAsync);
        await _database.ScalarAsync("alter table away rename to grain_state");

        Assert.Equal(CerverError.StorageUnavailable, refusal.Code);
        Assert.Contains("List the account's vaults", refusal.Message, StringComparison.Ordinal);
        Assert.Equal([made], (await Vaults.ListAsync()).AsEnumerable());
    }

    private Task<InfisicalVaultRecord> CreateAsync() =>
        Vaults.CreateAsync(Ids.NewVault(TimeProvider.System), new(ProjectId: "p1", ClientId: "c1", ClientSecret: Credential));
}
