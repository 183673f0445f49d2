using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Hosting;

namespace Cerver.Api.Hosting;

/// <summary>What is logged unless a setting says otherwise, while the process starts, while it serves and while it stops.</summary>
internal sealed class LogLevels : ConfigurationProvider, IConfigurationSource, IHostedLifecycleService
{
    private const string Section = "Logging:LogLevel:";
    private const string Host = "Microsoft.Extensions.Hosting.Internal.Host";

    public LogLevels()
    {
        SetLevel("Default", "Information");
        SetLevel("Microsoft", "Warning");

        // It warns of keys that are not encrypted in words for programmers. We say it ourselves.
        SetLevel("Microsoft.AspNetCore.DataProtection", "Error");

        // It puts the path of a request around everything that is logged meanwhile, and whoever takes a value for a name has it there.
        SetLevel("Microsoft.AspNetCore.Hosting.Diagnostics", "None");

        // Until the process is up it tells of nothing but a start that failed, with a stack trace. StartFailures says the same in a sentence.
        SetLevel(Host, "None");
        SetLevel("ModelContextProtocol", "Error");

        // It tells of every mistake of a client, with a stack trace. What fails in a tool, we log ourselves.
        SetLevel("ModelContextProtocol.Server.McpServer", "None");
        SetLevel("Orleans", "Warning");
        SetLevel("Orleans.Runtime.Silo", "Error");
        SetLevel("Orleans.Runtime.Watchdog", "Error");
        SetLevel("Orleans.Streams.StreamConsumerExtension", "Error");
        SetLevel("Polly", "Warning");
    }

    public IConfigurationProvider Build(IConfigurationBuilder builder) => this;

    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken)
    {
        Data.Remove(Section + Host);
        OnReload();
        return Task.CompletedTask;
    }

    public Task StoppingAsync(CancellationToken cancellationToken)
    {
        // Grains that go still have a word for others, such as that a sandbox is down. With the silo that would place the other gone too, Orleans
        // first tries again and then gives up, with a stack trace each time. Whoever needs an answer has the failure as its own.
        SetLevel("Orleans.Messaging", "None");
        SetLevel("Polly", "None");
        OnReload();
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    private void SetLevel(string category, string level) => Set(Section + category, level);
}
