using k8s;
using k8s.Models;
using YamlDotNet.Core;

namespace Cerver.Tests.Kubernetes;

/// <summary>The manifests are documents of Kubernetes, and what is in <c>k8s/rendered</c> is what they come to.</summary>
public sealed class ManifestTests
{
    private const string Update = "CERVER_UPDATE_RENDERED";

    public static TheoryData<string> Files { get; } =
    [
        .. Directory.EnumerateFiles(Manifests.Directory, "*.yaml", SearchOption.AllDirectories)
            .Where(static path => Path.GetFileName(path) != "kustomization.yaml" && !path.EndsWith(".patch.yaml", StringComparison.Ordinal))
            .Select(static path => Path.GetRelativePath(Manifests.Directory, path))
            .Order(StringComparer.Ordinal),
    ];

    public static TheoryData<string> Overlays => Manifests.Overlays;

    [Theory]
    [MemberData(nameof(Files))]
    public void Every_file_holds_only_what_kubernetes_knows(string file) =>
        Assert.NotEmpty(Manifests.Parse(File.ReadAllText(Path.Combine(Manifests.Directory, file))));

    [Theory]
    [InlineData("      containers:", "      contianers: []")]
    [InlineData("              path: /livez", "              pathh: /livez")]
    [InlineData("            allowPrivilegeEscalation: false", "            allowPriviledgeEscalation: false")]
    [InlineData("  replicas: 1", "  replica: 1")]
    public void A_field_that_kubernetes_does_not_know_is_found(string beside, string unknown)
    {
        var silo = File.ReadAllText(Path.Combine(Manifests.Directory, "base", "silo.yaml"));
        var at = silo.IndexOf(beside, StringComparison.Ordinal);

        var refusal = Assert.Throws<YamlException>(() => Manifests.Parse(silo.Insert(at, $"{unknown}\n")));

        Assert.Contains(unknown.Trim().Split(':')[0], refusal.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_kind_that_kubernetes_does_not_know_is_found() =>
        Assert.Throws<KeyNotFoundException>(() => Manifests.Parse("apiVersion: policy/v1\nkind: PodDisruptionBudgets\nmetadata:\n  name: silo\n"));

    [Fact]
    public void Every_overlay_has_a_rendered_copy() => Assert.Equal(
        Manifests.OverlayNames,
        Directory.EnumerateDirectories(Path.Combine(Manifests.Directory, "overlays")).Select(static path => Path.GetFileName(path)).Order(StringComparer.Ordinal));

    /// <summary>
    /// Compared by what the documents say, because their order and the way strings are written differ from one kubectl to the next.
    /// </summary>
    [Theory]
    [MemberData(nameof(Overlays))]
    public async Task The_rendered_copy_says_what_the_overlay_comes_to(string overlay)
    {
        var made = await Command.RunAsync("kubectl", ["kustomize", Path.Combine(Manifests.Directory, "overlays", overlay)], package: "kubernetes-client");
        if (Environment.GetEnvironmentVariable(Update) == "1")
        {
            await File.WriteAllTextAsync(Manifests.RenderedPath(overlay), made);
        }

        var difference = Documents(Manifests.Parse(made)).Zip(Documents(Manifests.Rendered(overlay)), static (now, copy) => (now, copy)).FirstOrDefault(static pair => pair.now != pair.copy);

        Assert.True(
            difference == default && Manifests.Parse(made).Count == Manifests.Rendered(overlay).Count,
            $"k8s/rendered/{overlay}.yaml is not what k8s/overlays/{overlay} comes to. Write it anew with: {Update}=1 dotnet test Cerver.Tests --filter {nameof(ManifestTests)}\n{difference}");
    }

    private static IEnumerable<string> Documents(IEnumerable<IKubernetesObject<V1ObjectMeta>> documents) =>
        documents.Select(static document => KubernetesJson.Serialize(document));
}
