using System.Formats.Tar;
using System.IO.Compression;
using System.Security.Cryptography;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Cerver.Tests.Kubernetes;

/// <summary>A container registry on this machine with one image in it: nothing at all, to put something on top of.</summary>
internal sealed class BaseImageRegistry : IAsyncDisposable
{
    private const string ManifestType = "application/vnd.docker.distribution.manifest.v2+json";
    private const string ConfigType = "application/vnd.docker.container.image.v1+json";
    private const string LayerType = "application/vnd.docker.image.rootfs.diff.tar.gzip";

    private readonly WebApplication _app;
    private readonly byte[] _manifest;
    private readonly Dictionary<string, byte[]> _blobs;

    private BaseImageRegistry(WebApplication app)
    {
        _app = app;
        var tar = EmptyTar();
        var layer = Compress(tar);
        var config = JsonSerializer.SerializeToUtf8Bytes(new
        {
            architecture = "amd64",
            os = "linux",
            config = new { Env = (string[])["PATH=/usr/bin:/bin"] },
            rootfs = new { type = "layers", diff_ids = (string[])[Digest(tar)] },
            history = (object[])[new { created = "2026-01-01T00:00:00Z" }],
        });
        _manifest = JsonSerializer.SerializeToUtf8Bytes(new
        {
            schemaVersion = 2,
            mediaType = ManifestType,
            config = new { mediaType = ConfigType, size = config.Length, digest = Digest(config) },
            layers = (object[])[new { mediaType = LayerType, size = layer.Length, digest = Digest(layer) }],
        });
        _blobs = new() { [Digest(config)] = config, [Digest(layer)] = layer };
    }

    /// <summary>Its host and port.</summary>
    public string Address => new Uri(_app.Urls.Single()).Authority;

    /// <summary>Starts it on a free port.</summary>
    public static async Task<BaseImageRegistry> StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Logging.ClearProviders();
        var registry = new BaseImageRegistry(builder.Build());
        registry._app.MapGet("/v2/", static () => "{}");
        registry._app.MapGet("/v2/{repository}/manifests/{reference}", (HttpResponse response) => Answer(response, registry._manifest, ManifestType));
        registry._app.MapGet("/v2/{repository}/blobs/{digest}", (string digest, HttpResponse response) => Answer(response, registry._blobs.GetValueOrDefault(digest), "application/octet-stream"));
        await registry._app.StartAsync();
        return registry;
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => _app.DisposeAsync();

    private static IResult Answer(HttpResponse response, byte[]? content, string type)
    {
        if (content is null)
        {
            return Results.NotFound();
        }

        response.Headers["Docker-Content-Digest"] = Digest(content);
        return Results.Bytes(content, type);
    }

    private static byte[] EmptyTar()
    {
        using var buffer = new MemoryStream();
        using (new TarWriter(buffer, leaveOpen: true))
        {
        }

        return buffer.ToArray();
    }

    private static byte[] Compress(byte[] content)
    {
        using var buffer = new MemoryStream();
        using (var gzip = new GZipStream(buffer, CompressionLevel.Fastest, leaveOpen: true))
        {
            gzip.Write(content);
        }

        return buffer.ToArray();
    }

    private static string Digest(byte[] content) => $"sha256:{Convert.ToHexStringLower(SHA256.HashData(content))}";
}
