using System.Collections.Immutable;
using System.Text;
using Cerver.Grains.Computes;
using Cerver.Grains.Computes.Local;
using Cerver.Runs;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace Cerver.Tests.Computes;

/// <summary>
/// A provider that is ready, with a data directory that only its owner may enter. A machine without bubblewrap fails every test that uses
/// it.
/// </summary>
public sealed class LocalSandboxFixture : IAsyncLifetime
{
    internal string DataDirectory { get; } = Directory.CreateTempSubdirectory("cerver-test-").FullName;

    internal LocalComputeProvider Provider { get; private set; } = null!;

    public async Task InitializeAsync()
    {
        Provider = CreateProvider();
        await Provider.ProbeAsync(CancellationToken.None);
        Assert.Null(Provider.Describe().Reason);
    }

    public async Task DisposeAsync()
    {
        await Provider.DisposeAsync();
        Directory.Delete(DataDirectory, recursive: true);
    }

    internal LocalComputeProvider CreateProvider(LocalComputeOptions? options = null) =>
        new(Options.Create(options ?? new LocalComputeOptions()), DataDirectory, TimeProvider.System, NullLogger<LocalComputeProvider>.Instance);

    internal Task<ISandbox> OpenAsync(bool network = false) => OpenAsync(Ids.NewSandbox(TimeProvider.System), network);

    internal Task<ISandbox> OpenAsync(string sandboxId, bool network = false) =>
        Provider.OpenAsync(new SandboxSpec(sandboxId, network), CancellationToken.None);
}

/// <summary>What a program printed and how it ended.</summary>
internal sealed record Finished(byte[] Stdout, byte[] Stderr, int? ExitCode)
{
    public string Text => Encoding.UTF8.GetString(Stdout);

    public string ErrorText => Encoding.UTF8.GetString(Stderr);
}

/// <summary>Ways to run code in a test.</summary>
internal static class SandboxRuns
{
    /// <summary>Longer than any test waits for a run, and no longer than every provider lets one take.</summary>
    private static readonly TimeSpan Timeout = TimeSpan.FromMinutes(2);

    public static Task<ISandboxProcess> StartAsync(
        this ISandbox sandbox, string code, SandboxRuntime runtime = SandboxRuntime.Shell, params (string Name, string Value)[] variables) =>
        sandbox.StartAsync(
            new SandboxCommand(code, runtime, variables.ToImmutableDictionary(v => v.Name, v => v.Value, StringComparer.Ordinal)) { Timeout = Timeout }, CancellationToken.None);

    public static async Task<Finished> RunAsync(
        this ISandbox sandbox, string code, SandboxRuntime runtime = SandboxRuntime.Shell, params (string Name, string Value)[] variables) =>
        await (await sandbox.StartAsync(code, runtime, variables)).FinishAsync();

    /// <summary>Reads to the end, which no test waits for longer than a minute.</summary>
    public static async Task<Finished> FinishAsync(this ISandboxProcess process)
    {
        using var timeout = new CancellationTokenSource(TimeSpan.FromMinutes(1));
        using var stdout = new MemoryStream();
        using var stderr = new MemoryStream();
        await foreach (var output in process.Output.WithCancellation(timeout.Token))
        {
            (output.Kind == OutputKind.Stdout ? stdout : stderr).Write(output.Data.Span);
        }

        return new(stdout.ToArray(), stderr.ToArray(), await process.Exit);
    }

    /// <summary>Reads until the program has printed a line, and leaves the rest.</summary>
    public static async Task<string> ReadLineAsync(this IAsyncEnumerator<SandboxOutput> output)
    {
        var line = new StringBuilder();
        while (!line.ToString().Contains('\n', StringComparison.Ordinal))
        {
            Assert.True(await output.MoveNextAsync());
            line.Append(Encoding.UTF8.GetString(output.Current.Data.Span));
        }

        return line.ToString().Trim();
    }
}
