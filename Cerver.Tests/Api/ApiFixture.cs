namespace Cerver.Tests.Api;

/// <summary>One front door for the tests of a class, which run one after the other. Bodies may take 64 KiB.</summary>
public sealed class ApiFixture : IAsyncLifetime
{
    internal ApiHost Api { get; private set; } = null!;

    public async Task InitializeAsync() => Api = await ApiHost.StartAsync(("Cerver:Api:MaxBodyBytes", "65536"));

    public async Task DisposeAsync() => await Api.DisposeAsync();
}
