using Cerver.Bench.Gateways;
using k8s;
using k8s.Models;

namespace Cerver.Tests.Kubernetes;

/// <summary>The manifests below <c>k8s</c>.</summary>
internal static class Manifests
{
    /// <summary>The overlays, by the name of their directory and of their rendered copy.</summary>
    public static IReadOnlyList<string> OverlayNames { get; } = ["dev", "prod", "prod-local-sandboxes"];

    /// <summary>The overlays, one for each case of a test.</summary>
    public static TheoryData<string> Overlays { get; } = [.. OverlayNames];

    /// <summary>The directory of everything.</summary>
    public static string Directory { get; } = Path.Combine(Repository.Find().Root, "k8s");

    /// <summary>The documents of a rendered overlay, in the order of kind and name.</summary>
    public static IReadOnlyList<IKubernetesObject<V1ObjectMeta>> Rendered(string overlay) => Parse(File.ReadAllText(RenderedPath(overlay)));

    /// <summary>Where the rendered copy of an overlay is.</summary>
    public static string RenderedPath(string overlay) => Path.Combine(Directory, "rendered", $"{overlay}.yaml");

    /// <summary>Reads documents. A field that Kubernetes does not know is an exception, and so is a kind.</summary>
    public static IReadOnlyList<IKubernetesObject<V1ObjectMeta>> Parse(string yaml) =>
    [
        .. KubernetesYaml.LoadAllFromString(yaml, strict: true)
            .Cast<IKubernetesObject<V1ObjectMeta>>()
            .OrderBy(static document => document.Kind, StringComparer.Ordinal)
            .ThenBy(static document => document.Metadata.NamespaceProperty, StringComparer.Ordinal)
            .ThenBy(static document => document.Metadata.Name, StringComparer.Ordinal),
    ];

    /// <summary>What starts pods, of any kind.</summary>
    public static IReadOnlyList<Workload> Workloads(this IEnumerable<IKubernetesObject<V1ObjectMeta>> documents) =>
    [
        .. documents.Select(static document => document switch
        {
            V1Deployment deployment => new Workload(document, deployment.Spec.Template, deployment.Spec.Selector),
            V1StatefulSet set => new Workload(document, set.Spec.Template, set.Spec.Selector),
            V1Job job => new Workload(document, job.Spec.Template, Selector: null),
            _ => null,
        }).OfType<Workload>(),
    ];

    /// <summary>Whether a selector takes a pod with these labels. One that names nothing takes all.</summary>
    public static bool Takes(this V1LabelSelector? selector, IDictionary<string, string> labels) =>
        (selector?.MatchLabels ?? new Dictionary<string, string>()).All(label => labels.TryGetValue(label.Key, out var value) && value == label.Value)
        && (selector?.MatchExpressions ?? []).All(expression => expression.OperatorProperty switch
        {
            "In" => labels.TryGetValue(expression.Key, out var value) && expression.Values.Contains(value),
            _ => throw new NotSupportedException($"The tests do not know the operator {expression.OperatorProperty}."),
        });
}

/// <summary>Something that starts pods.</summary>
/// <param name="Document">The document.</param>
/// <param name="Template">What its pods are like.</param>
/// <param name="Selector">By what it finds its pods, or null when Kubernetes sets that.</param>
internal sealed record Workload(IKubernetesObject<V1ObjectMeta> Document, V1PodTemplateSpec Template, V1LabelSelector? Selector)
{
    /// <summary>The label <c>app.kubernetes.io/component</c> of its pods.</summary>
    public string Component => Labels["app.kubernetes.io/component"];

    /// <summary>Whether its pods run until they are stopped.</summary>
    public bool IsService => Document is not V1Job;

    /// <summary>Whether its pods run a program of ours.</summary>
    public bool IsCerver => Component is "silo" or "front-door" or "migration";

    /// <summary>How many pods it keeps.</summary>
    public int? Replicas => Document switch
    {
        V1Deployment deployment => deployment.Spec.Replicas,
        V1StatefulSet set => set.Spec.Replicas,
        _ => null,
    };

    public IDictionary<string, string> Labels => Template.Metadata.Labels;

    public V1Container Container => Assert.Single(Template.Spec.Containers);

    /// <summary>The numbers of the ports that its pods listen on.</summary>
    public IReadOnlySet<int> Ports => (Container.Ports ?? []).Select(static port => port.ContainerPort).ToHashSet();

    public override string ToString() => $"{Document.Kind} {Document.Metadata.Name}";
}
