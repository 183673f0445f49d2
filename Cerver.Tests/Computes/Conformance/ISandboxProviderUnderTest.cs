using Cerver.Grains.Computes;

namespace Cerver.Tests.Computes.Conformance;

/// <summary>A provider that is ready and says what its sandboxes can do, and the harm that can be done to it.</summary>
internal interface ISandboxProviderUnderTest : IProviderUnderTest
{
    /// <summary>Follows a run in a sandbox that is up as a gateway does that has just come up; null when its sandboxes do not outlive the gateway.</summary>
    (ISandbox Sandbox, ISandboxProcess Process)? Follow(string sandboxId, string runId) => null;

    /// <summary>Takes a sandbox away from under the provider, as a crash of its machine does.</summary>
    Task LoseAsync(ISandbox sandbox);

    /// <summary>Another one of the kind, which has room for one sandbox. It goes with this one.</summary>
    Task<IComputeProvider> WithRoomForOneAsync();

    /// <summary>Another one of the kind, whose operator has switched the network off. It goes with this one.</summary>
    Task<IComputeProvider> WithoutNetworkAsync();
}
