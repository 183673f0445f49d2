using Cerver.Computes;
using Cerver.Grains.Computes;

namespace Cerver.Tests.Computes.Conformance;

/// <summary>A provider that is ready.</summary>
internal interface IProviderUnderTest : IAsyncDisposable
{
    /// <summary>The provider.</summary>
    IComputeProvider Provider { get; }

    /// <summary>What an account hears of it, or of another one of the kind.</summary>
    Task<ComputeInfo> DescribeAsync(IComputeProvider provider) => Task.FromResult(provider.Describe());

    /// <summary>Another one of the kind, which lacks what lets it in: credentials, a program, a connection. It goes with this one.</summary>
    Task<IComputeProvider> WithoutAccessAsync();
}
