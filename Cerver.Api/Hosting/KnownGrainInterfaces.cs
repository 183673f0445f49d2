using System.Collections.Concurrent;
using Orleans.Runtime;

namespace Cerver.Api.Hosting;

/// <summary>Remembers what Orleans reads from the attributes of a grain's interface each time that it is asked for the grain, which is several times for a request.</summary>
internal sealed class KnownGrainInterfaces(IServiceProvider services) : IGrainInterfaceTypeProvider
{
    private readonly AttributeGrainInterfaceTypeProvider _attributes = new(services);
    private readonly ConcurrentDictionary<Type, GrainInterfaceType?> _known = new();

    /// <inheritdoc/>
    public bool TryGetGrainInterfaceType(Type type, out GrainInterfaceType grainInterfaceType)
    {
        var known = _known.GetOrAdd(type, static (type, attributes) => attributes.TryGetGrainInterfaceType(type, out var read) ? read : null, _attributes);
        grainInterfaceType = known ?? default;
        return known is not null;
    }
}
