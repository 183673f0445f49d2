using Orleans.Storage;

namespace Cerver.Silo.Storage;

/// <summary>Grain state in a database, by its rules.</summary>
/// <param name="inner">The ADO.NET provider, whose failures are the driver's.</param>
/// <param name="guard">The rules.</param>
internal sealed class GuardedGrainStorage(IGrainStorage inner, IStateGuard guard) : IGrainStorage
{
    /// <summary>The name under which the ADO.NET provider is registered whose failures this storage keeps to itself.</summary>
    /// <param name="name">The name of this storage.</param>
    public static string InnerName(string name) => $"{name}-unguarded";

    /// <inheritdoc/>
    public Task ReadStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState) =>
        guard.RunAsync(() => inner.ReadStateAsync(stateName, grainId, grainState));

    /// <inheritdoc/>
    public Task WriteStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState) =>
        guard.RunAsync(() => inner.WriteStateAsync(stateName, grainId, grainState));

    /// <inheritdoc/>
    public Task ClearStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState) =>
        guard.RunAsync(() => inner.ClearStateAsync(stateName, grainId, grainState));
}
