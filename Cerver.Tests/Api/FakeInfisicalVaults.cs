using System.Collections.Concurrent;
using System.Collections.Immutable;
using Cerver.Errors;
using Cerver.Secrets;

namespace Cerver.Tests.Api;

/// <summary>Keeps what the front door sends, and takes everything for right.</summary>
internal sealed class FakeInfisicalVaults(FakeCluster cluster) : IInfisicalVaultGrain
{
    public static readonly DateTimeOffset Noon = new(2026, 7, 28, 12, 0, 0, TimeSpan.Zero);

    private readonly ConcurrentDictionary<string, InfisicalVaultRecord> _vaults = new(StringComparer.Ordinal);

    /// <summary>What was last sent.</summary>
    public InfisicalVaultFields? Sent { get; private set; }

    /// <summary>What is wrong with all of them.</summary>
    public string? Fault { get; set; }

    public int Count => _vaults.Count;

    public Task<ImmutableArray<InfisicalVaultRecord>> ListAsync(CancellationToken cancellationToken = default) =>
        Task.FromResult<ImmutableArray<InfisicalVaultRecord>>([.. _vaults.Values.OrderBy(static vault => vault.VaultId, StringComparer.Ordinal)]);

    public Task<InfisicalVaultRecord> CreateAsync(string vaultId, InfisicalVaultFields fields, CancellationToken cancellationToken = default) =>
        WriteAsync(fields, () => _vaults.GetOrAdd(vaultId, new InfisicalVaultRecord(
            vaultId, fields.Label, fields.ProjectId!, fields.Environment ?? "prod", "/", "https://app.infisical.com", fields.ClientId, IsDefault: true, Noon, LastVerifiedAt: null, LastVerifyError: null)));

    public Task<InfisicalVaultRecord> UpdateAsync(string vaultId, InfisicalVaultFields fields, CancellationToken cancellationToken = default) =>
        WriteAsync(fields, () => _vaults[vaultId] = Require(vaultId) with { Label = fields.Label, Environment = fields.Environment ?? "prod" });

    public Task DeleteAsync(string vaultId, CancellationToken cancellationToken = default) => WriteAsync(Sent, () => _vaults.Remove(vaultId, out _));

    public Task<InfisicalVaultRecord> VerifyAsync(string vaultId, CancellationToken cancellationToken = default) =>
        WriteAsync(Sent, () => _vaults[vaultId] = Require(vaultId) with { LastVerifiedAt = Noon, LastVerifyError = Fault });

    public Task<InfisicalVaultRecord> NoteVerifiedAsync(InfisicalVaultCheck check, CancellationToken cancellationToken = default) =>
        throw new NotSupportedException("For the grain itself.");

    public Task<ImmutableArray<OpenInfisicalVault>> OpenAsync(CancellationToken cancellationToken = default) =>
        throw new NotSupportedException("Not for callers.");

    private InfisicalVaultRecord Require(string vaultId) =>
        _vaults.GetValueOrDefault(vaultId) ?? throw new CerverException(CerverError.NotFound, "There is no vault of this id.");

    private Task<T> WriteAsync<T>(InfisicalVaultFields? fields, Func<T> write)
    {
        Fail(cluster.Failures);
        Sent = fields;
        var result = write();
        Fail(cluster.LostAnswers);
        return Task.FromResult(result);
    }

    private static void Fail(ConcurrentQueue<Exception> failures)
    {
        if (failures.TryDequeue(out var failure))
        {
            throw failure;
        }
    }
}
