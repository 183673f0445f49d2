using Cerver.Grains.Computes.Local;
using Cerver.Relay.Channel;
using Microsoft.Extensions.Options;

namespace Cerver.Relay;

/// <summary>Lends this machine to a gateway, until it is told to stop.</summary>
internal static class RelayProgram
{
    private const string Usage =
        "cerver-relay --url https://GATEWAY --token TOKEN [--label NAME] [--data DIRECTORY], or CERVER_URL, CERVER_API_TOKEN, CERVER_RELAY_LABEL, CERVER_RELAY_DATA. "
        + "Arguments can be read by everybody on the machine; the token is better in the variable.";

    /// <summary>What is left when the gateway has heard that this machine goes takes no longer.</summary>
    private static readonly TimeSpan StopLimit = TimeSpan.FromSeconds(5);

    private static readonly (string Argument, string Variable, string Setting)[] Words =
    [
        ("--url", "CERVER_URL", nameof(RelaySettings.Url)),
        ("--token", "CERVER_API_TOKEN", nameof(RelaySettings.Token)),
        ("--label", "CERVER_RELAY_LABEL", nameof(RelaySettings.Label)),
        ("--data", "CERVER_RELAY_DATA", nameof(RelaySettings.Data)),
    ];

    /// <summary>Runs until SIGTERM or SIGINT.</summary>
    /// <returns>The exit code: 0 after a stop that was asked for, or when only the usage was, 1 when it could not start or the gateway does not want this machine.</returns>
    public static async Task<int> RunAsync(string[] args)
    {
        if (args.Contains("--help", StringComparer.Ordinal))
        {
            await Console.Out.WriteLineAsync($"Usage: {Usage}");
            return 0;
        }

        if (Read(args, out var settings) is { } mistake)
        {
            return await RefuseAsync($"{mistake} Usage: {Usage}");
        }

        FileStream held;
        try
        {
            held = Take(settings[$"{RelaySettings.Section}:{nameof(RelaySettings.Data)}"]!);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            return await RefuseAsync($"The data directory cannot be used, or another relay uses it: {failure.Message} Name another one with --data.");
        }

        await using (held)
        {
            using var host = Build(settings);
            GatewayConnection connection;
            try
            {
                connection = host.Services.GetRequiredService<GatewayConnection>();
                await host.RunAsync();
            }
            catch (OptionsValidationException invalid)
            {
                return await RefuseAsync(string.Join(' ', invalid.Failures));
            }

            // What nobody expected is told by the log, and must not look like a stop that was asked for.
            return connection.ExecuteTask is { IsFaulted: true } ? 1 : connection.Refused is { } refused ? await RefuseAsync(refused) : 0;
        }
    }

    private static IHost Build(Dictionary<string, string?> settings)
    {
        var builder = Host.CreateApplicationBuilder(new HostApplicationBuilderSettings { DisableDefaults = true });
        builder.Configuration.AddEnvironmentVariables().AddInMemoryCollection(settings);
        builder.Logging.AddSimpleConsole(static console =>
        {
            console.SingleLine = true;
            console.TimestampFormat = "HH:mm:ss ";
        }).AddFilter("Microsoft", LogLevel.Warning).AddFilter("System", LogLevel.Warning);

        var services = builder.Services;
        services.AddOptionsWithValidateOnStart<RelaySettings>().BindConfiguration(RelaySettings.Section);
        services.AddSingleton<IValidateOptions<RelaySettings>, RelaySettingsValidator>();
        services.AddOptionsWithValidateOnStart<LocalComputeOptions>().BindConfiguration(LocalComputeOptions.Section);
        services.AddSingleton<IValidateOptions<LocalComputeOptions>, LocalComputeOptionsValidator>();
        services.Configure<HostOptions>(static host => host.ShutdownTimeout = StopLimit);
        services.AddSingleton(TimeProvider.System);
        services.AddSingleton(static services => new MachineName(MachineIdentity.Read(services.GetRequiredService<IOptions<RelaySettings>>().Value.Data!)));
        services.AddSingleton(static services => ActivatorUtilities.CreateInstance<LocalComputeProvider>(services, services.GetRequiredService<IOptions<RelaySettings>>().Value.Data!));
        services.AddSingleton<RelaySandboxHost>().AddSingleton<RelayFiles>().AddSingleton<RelayRequests>().AddSingleton<GatewayConnection>();
        services.AddHttpClient<GatewayApi>(GatewayApi.Configure);
        services.AddHostedService(static services => services.GetRequiredService<GatewayConnection>());
        return builder.Build();
    }

    /// <summary>Takes the data directory for this process alone.</summary>
    private static FileStream Take(string directory)
    {
        if (!Directory.Exists(directory))
        {
            Directory.CreateDirectory(directory, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }

        return new FileStream(Path.Combine(directory, "lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
    }

    /// <summary>Reads the settings from the arguments and the environment.</summary>
    /// <returns>What is wrong with them, or null.</returns>
    private static string? Read(string[] args, out Dictionary<string, string?> settings)
    {
        settings = Words.ToDictionary(static word => $"{RelaySettings.Section}:{word.Setting}", static word => Environment.GetEnvironmentVariable(word.Variable), StringComparer.Ordinal);
        for (var rest = args.AsSpan(); !rest.IsEmpty; rest = rest[2..])
        {
            var argument = rest[0];
            if (rest.Length < 2 || Array.Find(Words, word => word.Argument == argument) is not { Argument: not null } known)
            {
                return $"'{argument}' is not known here, or lacks its value.";
            }

            settings[$"{RelaySettings.Section}:{known.Setting}"] = rest[1];
        }

        var data = $"{RelaySettings.Section}:{nameof(RelaySettings.Data)}";
        settings[data] = Path.GetFullPath(settings[data] is { Length: > 0 } named ? named : Usual());
        return settings[$"{RelaySettings.Section}:{nameof(RelaySettings.Url)}"] is not { } url || !Uri.TryCreate(url, UriKind.Absolute, out var address) || !address.Scheme.StartsWith("http", StringComparison.Ordinal)
                ? "The address of the gateway is missing, or is none."
            : settings[$"{RelaySettings.Section}:{nameof(RelaySettings.Token)}"] is not { Length: > 0 } ? "The token is missing."
            : null;
    }

    private static string Usual() => Environment.IsPrivilegedProcess
        ? "/var/lib/cerver-relay"
        : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData, Environment.SpecialFolderOption.DoNotVerify), "cerver-relay");

    private static async Task<int> RefuseAsync(string sentence)
    {
        await Console.Error.WriteLineAsync($"cerver-relay: {sentence}");
        return 1;
    }
}
