using System.Formats.Tar;
using System.IO.Compression;
using System.Text.Json;
using Cerver.Bench.Gateways;

namespace Cerver.Tests.Kubernetes;

/// <summary>The container images that <c>dotnet publish -t:PublishContainer</c> makes.</summary>
public sealed class ImageTests : IDisposable
{
    private static readonly string Configuration = new DirectoryInfo(AppContext.BaseDirectory).Parent!.Name;

    private readonly string _directory = Directory.CreateTempSubdirectory("cerver-image-").FullName;

    [Theory]
    [InlineData("Cerver.Silo", "cerver-silo", "silo")]
    [InlineData("Cerver.Api", "cerver-api", "front-door")]
    public async Task An_image_has_the_name_version_user_and_ports_of_the_manifests_and_a_base_without_a_shell(string project, string repository, string component)
    {
        var workload = Manifests.Rendered("prod").Workloads().Single(workload => workload.Component == component);

        using var said = JsonDocument.Parse(await DotnetAsync(
            registry: null, "msbuild", Path.Combine(Repository.Find().Root, project), "-t:ComputeContainerBaseImage",
            "-getProperty:ContainerRepository,ContainerImageTag,ContainerUser,ContainerBaseImage,SelfContained", "-getItem:ContainerPort"));

        var properties = said.RootElement.GetProperty("Properties");
        var name = $"{properties.GetProperty("ContainerRepository")}:{properties.GetProperty("ContainerImageTag")}";
        Assert.StartsWith($"{repository}:", name, StringComparison.Ordinal);
        Assert.EndsWith($"/{name}", workload.Container.Image, StringComparison.Ordinal);
        Assert.Equal($"{workload.Template.Spec.SecurityContext.RunAsUser}", properties.GetProperty("ContainerUser").GetString());
        Assert.EndsWith("/dotnet/aspnet:10.0-noble-chiseled", properties.GetProperty("ContainerBaseImage").GetString(), StringComparison.Ordinal);
        var ports = said.RootElement.GetProperty("Items").GetProperty("ContainerPort").EnumerateArray().Select(static port => port.GetProperty("Identity").GetString());
        Assert.Equal(workload.Container.Ports.Select(static port => $"{port.ContainerPort}"), ports);
    }

    /// <summary>On top of nothing, because no registry is at hand: the base of the real one is only looked at above.</summary>
    [Theory]
    [InlineData("Cerver.Silo", "cerver-silo")]
    [InlineData("Cerver.Api", "cerver-api")]
    public async Task An_image_can_be_built_and_starts_the_program_as_that_user(string project, string repository)
    {
        await using var registry = await BaseImageRegistry.StartAsync();
        var archive = Path.Combine(_directory, "image.tar.gz");

        await DotnetAsync(
            registry.Address, "publish", Path.Combine(Repository.Find().Root, project), "--configuration", Configuration, "--no-build", "--no-restore", "-t:PublishContainer",
            $"-p:ContainerBaseImage={registry.Address}/nothing:1", $"-p:ContainerArchiveOutputPath={archive}", $"-p:PublishDir={Path.Combine(_directory, "published")}/");

        var files = await ReadAsync(archive);
        using var manifest = JsonDocument.Parse(files["manifest.json"]);
        var image = Assert.Single(manifest.RootElement.EnumerateArray());
        Assert.StartsWith($"{repository}:", Assert.Single(image.GetProperty("RepoTags").EnumerateArray()).GetString(), StringComparison.Ordinal);
        using var config = JsonDocument.Parse(files[image.GetProperty("Config").GetString()!]);
        var start = config.RootElement.GetProperty("config");
        Assert.Equal("1654", start.GetProperty("User").GetString());
        Assert.Equal(["dotnet", $"/app/{project}.dll"], start.GetProperty("Entrypoint").EnumerateArray().Select(static word => word.GetString()));
        Assert.False(start.TryGetProperty("Cmd", out _));
        var layers = image.GetProperty("Layers").EnumerateArray().Select(layer => files[layer.GetString()!]).ToList();
        Assert.Contains($"app/{project}.dll", (await ReadAsync(layers[^1])).Keys);
    }

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    /// <summary>Runs the SDK and leaves no process of it behind.</summary>
    /// <param name="registry">The address of a registry that speaks HTTP, if any.</param>
    /// <param name="arguments">The arguments.</param>
    private static Task<string> DotnetAsync(string? registry, params string[] arguments) => Command.RunAsync("dotnet", [.. arguments, "-nologo", "-nodeReuse:false"], new Dictionary<string, string>
    {
        ["DOTNET_CONTAINER_INSECURE_REGISTRIES"] = registry ?? string.Empty,
        ["DOTNET_CLI_TELEMETRY_OPTOUT"] = "1",
        ["MSBUILDDISABLENODEREUSE"] = "1",
    });

    private static async Task<Dictionary<string, byte[]>> ReadAsync(string archive) => await ReadAsync(await File.ReadAllBytesAsync(archive));

    private static async Task<Dictionary<string, byte[]>> ReadAsync(byte[] archive)
    {
        var files = new Dictionary<string, byte[]>();
        await using Stream content = archive is [0x1f, 0x8b, ..] ? new GZipStream(new MemoryStream(archive), CompressionMode.Decompress) : new MemoryStream(archive);
        await using var tar = new TarReader(content);
        while (await tar.GetNextEntryAsync() is { } entry)
        {
            using var buffer = new MemoryStream();
            if (entry.DataStream is { } data)
            {
                await data.CopyToAsync(buffer);
            }

            files[entry.Name.TrimStart('.', '/')] = buffer.ToArray();
        }

        return files;
    }
}
