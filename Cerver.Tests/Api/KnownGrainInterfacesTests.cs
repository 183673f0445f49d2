using Cerver.Api.Hosting;
using Cerver.Runs;
using Cerver.Sessions;
using Microsoft.Extensions.DependencyInjection;
using Orleans.Runtime;

namespace Cerver.Tests.Api;

public sealed class KnownGrainInterfacesTests
{
    [Theory]
    [InlineData(typeof(ISessionGrain))]
    [InlineData(typeof(IQueueBellGrain))]
    [InlineData(typeof(IDisposable))]
    public void What_is_remembered_is_what_orleans_reads(Type type)
    {
        using var services = new ServiceCollection().BuildServiceProvider();
        var known = new KnownGrainInterfaces(services);
        var isGrain = new AttributeGrainInterfaceTypeProvider(services).TryGetGrainInterfaceType(type, out var read);

        for (var time = 0; time < 2; time++)
        {
            Assert.Equal(isGrain, known.TryGetGrainInterfaceType(type, out var remembered));
            Assert.Equal(read, remembered);
        }
    }
}
