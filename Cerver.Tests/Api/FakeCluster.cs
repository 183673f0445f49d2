using System.Collections.Concurrent;
using System.Reflection;
using Cerver.Accounts;
using Cerver.Computes;
using Cerver.Operations;
using Cerver.Secrets;
using Cerver.Sessions;
using Orleans;

namespace Cerver.Tests.Api;

/// <summary>
/// A cluster without a silo: grains that are plain objects in this process. It shows what the front door does, not what grains do.
/// </summary>
internal sealed class FakeCluster
{
    private readonly ConcurrentDictionary<string, FakeSession> _sessions = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, FakeInfisicalVaults> _vaults = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, FakeMachine> _machines = new(StringComparer.Ordinal);

    public FakeCluster()
    {
        Recall = new FakeRecall(_sessions);
        Client = DispatchProxy.Create<IClusterClient, ClientProxy>();
        ((ClientProxy)Client).Cluster = this;
    }

    public IClusterClient Client { get; }

    public FakeRecall Recall { get; }

    public FakeCompute Compute { get; } = new();

    /// <summary>The next writes fail with these, the first first.</summary>
    public ConcurrentQueue<Exception> Failures { get; } = new();

    /// <summary>The next writes have their effect and fail with these, so that nobody hears of it.</summary>
    public ConcurrentQueue<Exception> LostAnswers { get; } = new();

    /// <summary>What operations came to, by their keys.</summary>
    public ConcurrentDictionary<string, object> Results { get; } = new(StringComparer.Ordinal);

    /// <summary>The operations that were asked for, by their keys.</summary>
    public ConcurrentDictionary<string, Operation> Operations { get; } = new(StringComparer.Ordinal);

    /// <summary>Whether the client knows no silo, and so no grain either.</summary>
    public bool KnowsNoSilo { get; set; }

    /// <summary>How many grains were asked for.</summary>
    public int GrainCount { get; private set; }

    /// <summary>The vaults of an account.</summary>
    public FakeInfisicalVaults Vaults(string key) => _vaults.GetOrAdd(key, static (_, cluster) => new FakeInfisicalVaults(cluster), this);

    /// <summary>A machine of an account.</summary>
    public FakeMachine Machine(string key) => _machines.GetOrAdd(key, static key => new FakeMachine(key));

    public FakeSession Session(string key) => _sessions.GetOrAdd(key, key => new FakeSession(key, this));

    private object Grain(Type type, string key)
    {
        GrainCount++;
        return type switch
        {
            _ when KnowsNoSilo => throw new ArgumentException($"Could not find an implementation for interface {type}", nameof(type)),
            _ when type == typeof(ISessionGrain) => Session(key),
            _ when type == typeof(IRecallGrain) => Recall,
            _ when type == typeof(IComputeGrain) => Compute,
            _ when type == typeof(IAccountGrain) => new FakeAccount(),
            _ when type == typeof(IInfisicalVaultGrain) => Vaults(key),
            _ when type == typeof(IMachineGrain) => Machine(key),
            _ when type == typeof(ISecretGrain) => new FakeSecrets(key),
            _ => throw new NotSupportedException(type.Name),
        };
    }

#pragma warning disable CA1852 // The framework derives from it.
    public class ClientProxy : DispatchProxy
#pragma warning restore CA1852
    {
        internal FakeCluster? Cluster { get; set; }

        protected override object? Invoke(MethodInfo? targetMethod, object?[]? args) => targetMethod!.Name switch
        {
            nameof(IGrainFactory.GetGrain) => Cluster!.Grain(targetMethod.GetGenericArguments()[0], args![0]!.ToString()!),

            // An object of this process is its own reference.
            nameof(IGrainFactory.CreateObjectReference) => args![0],
            nameof(IGrainFactory.DeleteObjectReference) => null,
            _ => throw new NotSupportedException(targetMethod.Name),
        };
    }
}
