using Cerver.Grains.Secrets;
using Cerver.Grains.Secrets.Environment;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Cerver.Tests.Secrets;

/// <summary>What of the environment can be asked for, and by whom.</summary>
public sealed class EnvironmentSecretsTests
{
    private readonly string _name = $"TEST_{Guid.NewGuid():n}";

    [Fact]
    public async Task Only_a_variable_with_the_prefix_is_a_secret()
    {
        var source = Source();
        Environment.SetEnvironmentVariable($"CERVER_SECRET_{_name}", "value");
        Environment.SetEnvironmentVariable($"CERVER_SECRET_{_name}_EMPTY", "");
        Environment.SetEnvironmentVariable($"{_name}_PLAIN", "value");
        Environment.SetEnvironmentVariable($"CERVER_SECRET_{_name} {_name}", "value");

        var names = await source.ListAsync("default", CancellationToken.None);

        Assert.Equal([_name], names.Where(name => name.Contains(_name, StringComparison.Ordinal)));
        Assert.Equal("value", (await source.FetchAsync("default", _name, CancellationToken.None))?.Reveal());
        foreach (var other in (string[])[$"{_name}_EMPTY", $"{_name}_PLAIN", _name.ToUpperInvariant(), "PATH", "HOME"])
        {
            Assert.Null(await source.FetchAsync("default", other, CancellationToken.None));
        }
    }

    [Fact]
    public async Task It_is_open_to_the_account_default_alone_unless_a_setting_names_others()
    {
        var named = Source(("Accounts:0", "alice"), ("Accounts:1", "bob-2"));

        Assert.Equal((true, false), (await IsOpen(Source(), "default"), await IsOpen(Source(), "alice")));
        Assert.Equal((false, true, true, false), (await IsOpen(named, "default"), await IsOpen(named, "alice"), await IsOpen(named, "bob-2"), await IsOpen(named, "bob")));
    }

    [Theory]
    [InlineData("Alice")]
    [InlineData("")]
    [InlineData("a/b")]
    public async Task A_name_that_no_account_can_have_stops_the_start(string account)
    {
        var failure = await Assert.ThrowsAsync<OptionsValidationException>(() => IsOpen(Source(("Accounts:0", "alice"), ("Accounts:1", account)), "alice"));

        Assert.Contains("Cerver:Secrets:Environment:Accounts", failure.Message, StringComparison.Ordinal);
        Assert.Contains($"'{account}'", failure.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("a", true)]
    [InlineData("_", true)]
    [InlineData("DEPLOY_TOKEN", true)]
    [InlineData("db.main-1_x", true)]
    [InlineData("", false)]
    [InlineData("1a", false)]
    [InlineData(".a", false)]
    [InlineData("-a", false)]
    [InlineData("a b", false)]
    [InlineData("a/b", false)]
    [InlineData("a=b", false)]
    [InlineData("ä", false)]
    [InlineData("aä", false)]
    [InlineData("a\n", false)]
    public void A_name_is_a_word(string text, bool isName) => Assert.Equal(isName, SecretRules.IsName(text));

    [Fact]
    public void A_name_has_at_most_128_characters() =>
        Assert.Equal((true, false), (SecretRules.IsName(new string('a', 128)), SecretRules.IsName(new string('a', 129))));

    private static Task<bool> IsOpen(EnvironmentSecrets source, string accountId) => source.IsOpenToAsync(accountId, CancellationToken.None).AsTask();

    private static EnvironmentSecrets Source(params (string Name, string Value)[] settings)
    {
        var configuration = new ConfigurationBuilder()
            .AddInMemoryCollection(settings.Select(static setting => KeyValuePair.Create($"{EnvironmentSecretOptions.Section}:{setting.Name}", (string?)setting.Value)))
            .Build();
        var services = new ServiceCollection().AddSingleton<IConfiguration>(configuration);
        services.AddOptions<EnvironmentSecretOptions>().BindConfiguration(EnvironmentSecretOptions.Section);
        services.AddSingleton<IValidateOptions<EnvironmentSecretOptions>, EnvironmentSecretOptionsValidator>();
        return new(services.BuildServiceProvider().GetRequiredService<IOptions<EnvironmentSecretOptions>>());
    }
}
