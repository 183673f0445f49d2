using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Cerver.Tests.Relays;

/// <summary>What the relay says to somebody who starts it for the first time.</summary>
public sealed class RelayMistakeTests : IDisposable
{
    private const string Token = "token-of-one-who-tests";

    private readonly string _data = Directory.CreateTempSubdirectory("cerver-relay-").FullName;

    public void Dispose() => Directory.Delete(_data, recursive: true);

    [Theory]
    [InlineData("--help")]
    [InlineData("--url", "https://cerver.example.com", "--help")]
    public async Task Whoever_asks_how_it_is_used_is_told_and_that_is_no_mistake(params string[] args)
    {
        await using var relay = RelayProcess.Launch(args);

        Assert.Equal(0, await relay.EndedAsync());
        Assert.StartsWith("Usage: cerver-relay --url https://GATEWAY --token TOKEN", relay.Output, StringComparison.Ordinal);
        Assert.Equal("", relay.Errors);
    }

    [Fact]
    public async Task An_argument_that_is_not_known_is_a_mistake()
    {
        await using var relay = RelayProcess.Launch(["--gateway", "https://cerver.example.com"]);

        Assert.Equal(1, await relay.EndedAsync());
        Assert.StartsWith("cerver-relay: '--gateway' is not known here, or lacks its value. Usage: ", relay.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_server_that_knows_no_machines_may_be_no_gateway_and_it_ends_and_says_so()
    {
        await using var server = await ServeAsync(StatusCodes.Status404NotFound);
        await using var relay = RelayProcess.Launch(AddressOf(server), Token, _data);

        Assert.Equal(1, await relay.EndedAsync());
        Assert.Contains("may not be a gateway, as none answers a registration with 404: check --url.", relay.Errors, StringComparison.Ordinal);
        Assert.DoesNotContain(Token, relay.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_server_that_answers_what_no_gateway_does_may_be_none_and_it_tries_again_and_says_so()
    {
        await using var server = await ServeAsync(StatusCodes.Status501NotImplemented);
        await using var relay = RelayProcess.Launch(AddressOf(server), Token, _data);

        await Waiting.UntilAsync(() => relay.Output.Split("may not be a gateway, as none answers a registration with 501: check --url.").Length > 2, () => relay.Output);
    }

    [Fact]
    public async Task A_server_whose_certificate_is_not_trusted_is_named_with_the_reason()
    {
        using var certificate = MakeCertificate();
        await using var server = await ServeAsync(StatusCodes.Status200OK, certificate);
        await using var relay = RelayProcess.Launch(AddressOf(server), Token, _data);

        await Waiting.UntilAsync(() => relay.Output.Contains("The remote certificate is invalid", StringComparison.Ordinal), () => relay.Output);
    }

    private static Uri AddressOf(WebApplication server) => new(server.Urls.Single());

    /// <summary>A server that answers everything in the same way.</summary>
    private static async Task<WebApplication> ServeAsync(int status, X509Certificate2? certificate = null)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrelHttpsConfiguration();
        builder.WebHost.ConfigureKestrel(options => options.Listen(IPAddress.Loopback, port: 0, listen =>
        {
            if (certificate is not null)
            {
                listen.UseHttps(certificate);
            }
        }));
        var server = builder.Build();
        server.Run(context =>
        {
            context.Response.StatusCode = status;
            return context.Response.WriteAsync("<html>Some other server.</html>");
        });
        await server.StartAsync();
        return server;
    }

    private static X509Certificate2 MakeCertificate()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=127.0.0.1", key, HashAlgorithmName.SHA256);
        var now = TimeProvider.System.GetUtcNow();
        return request.CreateSelfSigned(now.AddHours(-1), now.AddHours(1));
    }
}
