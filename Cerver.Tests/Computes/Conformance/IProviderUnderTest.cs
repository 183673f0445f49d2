using Cerver.Computes;
using Cerver.Grains.Computes;

namespace Cerver.Tests.Computes.Conformance;

/// <summary>A provider that is ready, and the harm that can be done to it.</summary>
internal interface IProviderUnderTest : IAsyncDisposable
{
    /// <summary>The provider.</summary>
    IComputeProvider Provider { get; }

    /// <summary>What it says of itself.</summary>
    ComputeInfo Describe(IComputeProvider provider) => provider.Describe();

    /// <summary>Whether its sandboxes outlive whoever opened them, so that opening one again finds it up and removing one ends it.</summary>
    bool Reattaches => false;

    /// <summary>Takes a sandbox away from under the provider, as a crash of its machine does.</summary>
    Task LoseAsync(ISandbox sandbox);

    /// <summary>Another one of the kind, which has room for one sandbox. It goes with this one.</summary>
    Task<IComputeProvider> WithRoomForOneAsync();

    /// <summary>Another one of the kind, which lacks what lets it in: credentials, a program, a connection. It goes with this one.</summary>
    Task<IComputeProvider> WithoutAccessAsync();
}
