using Cerver.Api.Hosting;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Cerver.Tests.Hosting;

/// <summary>What is logged by a process that starts, serves and stops.</summary>
public sealed class LogLevelsTests
{
    private const string Host = "Microsoft.Extensions.Hosting.Internal.Host";

    [Theory]
    [InlineData(Host, false, true, true)]
    [InlineData("Polly", true, true, false)]
    [InlineData("Orleans.Messaging", true, true, false)]
    [InlineData("Orleans.Runtime.Catalog", true, true, true)]
    [InlineData("Cerver.Grains.Computes.ComputeGrain", true, true, true)]
    public async Task Only_what_is_about_starting_or_stopping_is_quiet_and_only_then(string category, bool starts, bool serves, bool stops)
    {
        var levels = new LogLevels();
        await using var services = BuildServices(levels);
        var logger = services.GetRequiredService<ILoggerFactory>().CreateLogger(category);

        var whenStarting = logger.IsEnabled(LogLevel.Error);
        await levels.StartedAsync(CancellationToken.None);
        var whenServing = logger.IsEnabled(LogLevel.Error);
        await levels.StoppingAsync(CancellationToken.None);
        var whenStopping = logger.IsEnabled(LogLevel.Error);

        Assert.Equal((starts, serves, stops), (whenStarting, whenServing, whenStopping));
    }

    [Theory]
    [InlineData(Host)]
    [InlineData("Polly")]
    [InlineData("Orleans.Messaging")]
    public async Task A_setting_that_names_a_category_wins_at_any_time(string category)
    {
        var levels = new LogLevels();
        await using var services = BuildServices(levels, KeyValuePair.Create($"Logging:LogLevel:{category}", (string?)"Warning"));
        var logger = services.GetRequiredService<ILoggerFactory>().CreateLogger(category);

        Assert.True(logger.IsEnabled(LogLevel.Warning));
        await levels.StartedAsync(CancellationToken.None);
        await levels.StoppingAsync(CancellationToken.None);
        Assert.True(logger.IsEnabled(LogLevel.Warning));
    }

    private static ServiceProvider BuildServices(LogLevels levels, params KeyValuePair<string, string?>[] settings)
    {
        var configuration = new ConfigurationManager();
        configuration.Sources.Add(levels);
        configuration.AddInMemoryCollection(settings);
        return new ServiceCollection().AddLogging(logging => logging.AddConfiguration(configuration.GetSection("Logging")).AddConsole()).BuildServiceProvider();
    }
}
