using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Hosting;
using Orleans.Runtime;

namespace Cerver.Api.Hosting;

/// <summary>What every process of the gateway begins with.</summary>
internal static class HostFrame
{
    private const string DefaultAddress = "http://127.0.0.1:8080";
    private const string TokenVariable = "CERVER_API_TOKEN";
    private const string TokenSetting = "Cerver:Auth:Tokens:default";
    private const int MinTokenCharacters = 16;

    /// <summary>How long a stop may take. Whoever supervises the process must wait a little longer.</summary>
    public static TimeSpan StopLimit { get; } = TimeSpan.FromSeconds(20);

    /// <summary>A builder with the settings of the process.</summary>
    /// <param name="args">
    /// Settings as <c>--Section:Name=value</c>; they win over the environment, which wins over appsettings.json beside the program.
    /// </param>
    public static WebApplicationBuilder CreateBuilder(string[] args)
    {
        var builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions
        {
            // Nothing is watched for changes, and the current directory is the user's business.
            Args = ["--hostBuilder:reloadConfigOnChange=false", .. args],
            ContentRootPath = AppContext.BaseDirectory,
        });

        var levels = new LogLevels();
        builder.Configuration.Sources.Insert(0, levels);
        builder.Services.AddSingleton<IHostedService>(levels);

        // Not in a file, which would win over ASPNETCORE_URLS.
        if (string.IsNullOrEmpty(builder.Configuration[WebHostDefaults.ServerUrlsKey]))
        {
            builder.WebHost.UseUrls(DefaultAddress);
        }

        builder.Services.Configure<HostOptions>(options => options.ShutdownTimeout = StopLimit);
        builder.Services.AddSingleton(TimeProvider.System);

        // Before Orleans adds its own, because the first one that knows an interface is believed.
        builder.Services.AddSingleton<IGrainInterfaceTypeProvider, KnownGrainInterfaces>();
        return builder;
    }

    /// <summary>The token of the account <c>default</c> that <c>CERVER_API_TOKEN</c> gives, or null.</summary>
    /// <exception cref="GatewayStartException">It is too easy to guess.</exception>
    public static string? GivenToken(IConfiguration configuration) => configuration[TokenVariable] switch
    {
        null or "" => null,
        { Length: >= MinTokenCharacters } given when given.All(character => character is > ' ' and <= '~') => given,
        _ => throw new GatewayStartException($"The token in {TokenVariable} must have at least {MinTokenCharacters} printable ASCII characters without spaces."),
    };

    /// <summary>Lets the account <c>default</c> in by a token.</summary>
    public static void AddToken(this IConfigurationBuilder configuration, string token) => configuration.AddInMemoryCollection([new(TokenSetting, token)]);

    /// <summary>
    /// Lets the account <c>default</c> in by the token that was given, which a process of a cluster cannot make by itself.
    /// </summary>
    /// <exception cref="GatewayStartException">No account has a token.</exception>
    public static void AddGivenToken(this IConfigurationManager configuration)
    {
        if (GivenToken(configuration) is { } token)
        {
            configuration.AddToken(token);
        }
        else if (!configuration.GetSection("Cerver:Auth:Tokens").GetChildren().Any())
        {
            throw new GatewayStartException(
                $"Nobody could call: set {TokenVariable}, or Cerver:Auth:Tokens:ACCOUNT for each account. Every process of a cluster that serves the API needs the same.");
        }
    }
}
