using System.Text;
using k8s;
using k8s.Models;

namespace Cerver.Tests.Kubernetes;

/// <summary>How Kubernetes starts the program of a container: what the manifests give it.</summary>
/// <param name="Environment">The environment, names as they are in the process.</param>
/// <param name="Arguments">The arguments after the image's entry point.</param>
internal sealed record ContainerStart(IReadOnlyDictionary<string, string> Environment, IReadOnlyList<string> Arguments)
{
    /// <summary>What the only container of a component's pods is started with.</summary>
    /// <param name="documents">A rendered overlay, in which ConfigMaps and Secrets are looked up.</param>
    /// <param name="component">The pods' label <c>app.kubernetes.io/component</c>.</param>
    /// <param name="secrets">Values of the operator's Secrets, by <c>name/key</c>; they win over those of the overlay.</param>
    /// <param name="fields">What Kubernetes knows of the pod, by the path of the field, such as <c>status.podIP</c>.</param>
    /// <exception cref="KeyNotFoundException">
    /// Something is referred to that is neither there nor given; its name is in the message.
    /// </exception>
    public static ContainerStart Of(
        IReadOnlyList<IKubernetesObject<V1ObjectMeta>> documents,
        string component,
        IReadOnlyDictionary<string, string> secrets,
        IReadOnlyDictionary<string, string> fields)
    {
        var settings = documents.OfType<V1ConfigMap>().ToDictionary(static map => map.Metadata.Name, static map => map.Data);
        var own = documents.OfType<V1Secret>().SelectMany(
            static secret => secret.Data, static (secret, value) => KeyValuePair.Create($"{secret.Metadata.Name}/{value.Key}", Encoding.UTF8.GetString(value.Value)));
        var known = secrets.Concat(own).DistinctBy(static secret => secret.Key).ToDictionary();
        var container = documents.Workloads().Single(workload => workload.Component == component).Container;
        var environment = new Dictionary<string, string>();

        // Later ones win, and those that are named one by one win over all.
        foreach (var (name, value) in (container.EnvFrom ?? []).SelectMany(source => Find(settings, source.ConfigMapRef.Name)))
        {
            environment[name] = value;
        }

        foreach (var variable in container.Env ?? [])
        {
            environment[variable.Name] = variable.ValueFrom switch
            {
                null => variable.Value,
                { SecretKeyRef: { } secret } => Find(known, $"{secret.Name}/{secret.Key}"),
                { ConfigMapKeyRef: { } map } => Find(Find(settings, map.Name), map.Key),
                { FieldRef: { } field } => Find(fields, field.FieldPath),
                _ => throw new NotSupportedException($"The tests do not know where {variable.Name} comes from."),
            };
        }

        return new(environment, [.. container.Args ?? []]);
    }

    private static T Find<T>(IEnumerable<KeyValuePair<string, T>> among, string name) =>
        among.Where(candidate => candidate.Key == name).Select(static candidate => candidate.Value).FirstOrDefault() is { } found
            ? found
            : throw new KeyNotFoundException($"There is no {name}.");
}
