using System.Text.Json;
using Cerver.Secrets;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Orleans.Serialization;

namespace Cerver.Tests.Secrets;

/// <summary>A value is seen by nobody who does not ask for it.</summary>
public sealed class SecretTests
{
    private const string Value = "do-not-show-me";

    private static readonly FetchedSecret Fetched = new("DEPLOY_TOKEN", new Secret(Value), "env");

    [Fact]
    public void Neither_text_nor_JSON_nor_a_log_shows_a_value()
    {
        string?[] shown = [$"{Fetched}", $"{Fetched.Value}", JsonSerializer.Serialize(Fetched), JsonSerializer.Serialize(Fetched.Value), Logged()];

        Assert.All(shown, static text => Assert.Contains(Secret.Redacted, text, StringComparison.Ordinal));
        Assert.All(shown, static text => Assert.DoesNotContain(Value, text, StringComparison.Ordinal));
    }

    [Fact]
    public void A_value_crosses_a_grain_call_whole()
    {
        using var services = new ServiceCollection().AddSerializer().BuildServiceProvider();
        var serializer = services.GetRequiredService<Serializer>();

        var received = serializer.Deserialize<FetchedSecret>(serializer.SerializeToArray(Fetched));

        Assert.Equal((Fetched, Value), (received, received?.Value.Reveal()));
    }

    private static string? Logged()
    {
        string? line = null;
        var logger = new LineLogger(text => line = text);
#pragma warning disable CA1848, CA1873 // What a careless caller would write.
        logger.LogInformation("Fetched {Secret} as {Value}", Fetched, Fetched.Value);
#pragma warning restore CA1848, CA1873
        return line;
    }

    private sealed class LineLogger(Action<string> write) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => NullLogger.Instance.BeginScope(state);

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            write(formatter(state, exception));
    }
}
