using Cerver.Silo;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Cerver.Tests.Secrets.Backends;

/// <summary>What a silo makes of settings.</summary>
internal static class SecretSettings
{
    /// <summary>The backends of secrets as a silo registers them. Of settings of one name the last holds.</summary>
    public static ServiceProvider Services(params (string Name, string Value)[] settings)
    {
        var configuration = new ConfigurationManager();
        foreach (var (name, value) in settings)
        {
            configuration[$"Cerver:Secrets:{name}"] = value;
        }

        return new ServiceCollection().AddSingleton<IConfiguration>(configuration).AddSingleton(TimeProvider.System).AddLogging().AddSecretBackends().BuildServiceProvider();
    }

    /// <summary>Asserts that a silo does not start with settings, and that it says which one is wrong without any value that is a secret.</summary>
    public static void AssertStopTheStart(string says, params (string Name, string Value)[] settings)
    {
        using var services = Services(settings);

        var failure = Assert.Throws<OptionsValidationException>(services.GetRequiredService<IStartupValidator>().Validate);

        Assert.Contains($"Cerver:Secrets:{says}", failure.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("nobody-sees", failure.Message, StringComparison.Ordinal);
    }
}
