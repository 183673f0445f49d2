using System.Reflection;
using k8s.Models;

namespace Cerver.Tests.Kubernetes;

/// <summary>What one document says of another is true.</summary>
public sealed class ReferenceTests
{
    /// <summary>What the operator makes: docs/operations.md says how.</summary>
    private static readonly HashSet<string> OfTheOperator = ["cerver-database/connection-string", "cerver-api-token/token", "cerver-tls/tls.crt"];

    /// <summary>What is read by its name alone and has no class of options.</summary>
    private static readonly HashSet<string> SingleSettings =
    [
        "Cerver:Storage", "ConnectionStrings:Cerver", "CERVER_API_TOKEN", "CERVER_DATA", "ASPNETCORE_URLS", "DOTNET_EnableDiagnostics",
        "POD_NAME", "POD_NAMESPACE", "POD_IP", "ORLEANS_SERVICE_ID", "ORLEANS_CLUSTER_ID",
    ];

    public static TheoryData<string> Overlays => Manifests.Overlays;

    [Theory]
    [MemberData(nameof(Overlays))]
    public void Every_selector_finds_the_pods_it_is_for_and_no_others(string overlay)
    {
        var workloads = Manifests.Rendered(overlay).Workloads();

        Assert.All(workloads.Where(static workload => workload.Selector is not null), workload =>
            Assert.Equal([workload], workloads.Where(other => workload.Selector.Takes(other.Labels))));
        Assert.All(Manifests.Rendered(overlay).OfType<V1PodDisruptionBudget>(), budget =>
            Assert.Equal(budget.Metadata.Name, Assert.Single(workloads, workload => budget.Spec.Selector.Takes(workload.Labels)).Document.Metadata.Name));
        Assert.All(workloads.Where(static workload => workload.IsCerver && workload.IsService), workload =>
            Assert.Contains(Manifests.Rendered(overlay).OfType<V1PodDisruptionBudget>(), budget => budget.Spec.Selector.Takes(workload.Labels)));
    }

    [Theory]
    [MemberData(nameof(Overlays))]
    public void Every_service_leads_to_a_port_of_the_pods_it_is_for(string overlay)
    {
        var services = Manifests.Rendered(overlay).OfType<V1Service>().ToList();

        foreach (var service in services)
        {
            var workload = Assert.Single(Manifests.Rendered(overlay).Workloads(), workload => new V1LabelSelector { MatchLabels = service.Spec.Selector }.Takes(workload.Labels));
            Assert.All(service.Spec.Ports, port => Assert.Contains(workload.Container.Ports, own => own.Name == port.TargetPort));
        }

        foreach (var backend in Assert.Single(Manifests.Rendered(overlay).OfType<V1Ingress>()).Spec.Rules.SelectMany(static rule => rule.Http.Paths).Select(static path => path.Backend.Service))
        {
            var service = Assert.Single(services, service => service.Metadata.Name == backend.Name);
            Assert.Contains(service.Spec.Ports, port => port.Name == backend.Port.Name);
        }
    }

    [Theory]
    [MemberData(nameof(Overlays))]
    public void Every_account_setting_and_secret_that_a_pod_names_is_there_or_is_the_operators(string overlay)
    {
        var documents = Manifests.Rendered(overlay);
        var settings = documents.OfType<V1ConfigMap>().SelectMany(static map => map.Data.Keys, static (map, key) => $"{map.Metadata.Name}/{key}").ToHashSet();
        var secrets = documents.OfType<V1Secret>().SelectMany(static secret => secret.Data.Keys, static (secret, key) => $"{secret.Metadata.Name}/{key}").ToHashSet();
        secrets.UnionWith(overlay == "dev" ? [] : OfTheOperator);

        foreach (var workload in documents.Workloads())
        {
            Assert.Contains(documents.OfType<V1ServiceAccount>(), account => account.Metadata.Name == workload.Template.Spec.ServiceAccountName);
            Assert.All(workload.Container.EnvFrom ?? [], source => Assert.Contains(documents.OfType<V1ConfigMap>(), map => map.Metadata.Name == source.ConfigMapRef.Name));
            Assert.Superset(Named(workload, static source => source.ConfigMapKeyRef is { } map ? $"{map.Name}/{map.Key}" : null), settings);
            Assert.Superset(Named(workload, static source => source.SecretKeyRef is { } secret ? $"{secret.Name}/{secret.Key}" : null), secrets);
        }

        Assert.All(Assert.Single(documents.OfType<V1Ingress>()).Spec.Tls ?? [], tls => Assert.Contains($"{tls.SecretName}/tls.crt", secrets));
    }

    [Theory]
    [MemberData(nameof(Overlays))]
    public void Every_variable_is_a_setting_that_a_program_reads(string overlay)
    {
        var known = SingleSettings.Union(OptionNames()).ToHashSet();

        var given = Manifests.Rendered(overlay).Workloads().Where(static workload => workload.IsCerver).SelectMany(workload => Variables(overlay, workload));

        Assert.Superset(given.Select(static name => name.Replace("__", ":", StringComparison.Ordinal)).ToHashSet(), known);
    }

    [Theory]
    [MemberData(nameof(Overlays))]
    public void Silos_are_labelled_with_the_ids_of_their_cluster_and_nobody_else_is(string overlay)
    {
        var settings = Manifests.Rendered(overlay).OfType<V1ConfigMap>().Single(static map => map.Metadata.Name == "cerver").Data;

        foreach (var workload in Manifests.Rendered(overlay).Workloads())
        {
            var silo = workload.Component == "silo";
            Assert.Equal(silo ? settings["Cerver__Cluster__ServiceId"] : null, workload.Labels.TryGetValue("orleans/serviceId", out var service) ? service : null);
            Assert.Equal(silo ? settings["Cerver__Cluster__ClusterId"] : null, workload.Labels.TryGetValue("orleans/clusterId", out var cluster) ? cluster : null);
        }
    }

    [Theory]
    [MemberData(nameof(Overlays))]
    public void A_container_listens_on_the_ports_that_its_settings_say(string overlay)
    {
        var settings = Manifests.Rendered(overlay).OfType<V1ConfigMap>().SelectMany(static map => map.Data).ToDictionary();
        var silo = Manifests.Rendered(overlay).Workloads().Single(static workload => workload.Component == "silo");

        Assert.Equal(
            [$"silo {settings["Cerver__Cluster__SiloPort"]}", $"gateway {settings["Cerver__Cluster__GatewayPort"]}"],
            silo.Container.Ports.Where(static port => port.Name != "http").Select(static port => $"{port.Name} {port.ContainerPort}"));
        Assert.All(
            Manifests.Rendered(overlay).Workloads().Where(static workload => workload.IsCerver && workload.IsService),
            workload => Assert.EndsWith($":{workload.Container.Ports.Single(static port => port.Name == "http").ContainerPort}", settings["ASPNETCORE_URLS"], StringComparison.Ordinal));
    }

    [Theory]
    [MemberData(nameof(Overlays))]
    public void Every_mount_has_a_volume(string overlay)
    {
        foreach (var workload in Manifests.Rendered(overlay).Workloads())
        {
            var volumes = (workload.Template.Spec.Volumes ?? []).Select(static volume => volume.Name)
                .Concat((workload.Document as V1StatefulSet)?.Spec.VolumeClaimTemplates.Select(static claim => claim.Metadata.Name) ?? []);
            Assert.Equal(volumes.Order(StringComparer.Ordinal), (workload.Container.VolumeMounts ?? []).Select(static mount => mount.Name).Order(StringComparer.Ordinal));
        }
    }

    private static HashSet<string> Named(Workload workload, Func<V1EnvVarSource, string?> name) =>
        [.. (workload.Container.Env ?? []).Select(static variable => variable.ValueFrom).OfType<V1EnvVarSource>().Select(name).OfType<string>()];

    private static IEnumerable<string> Variables(string overlay, Workload workload) =>
        (workload.Container.EnvFrom ?? [])
            .SelectMany(source => Manifests.Rendered(overlay).OfType<V1ConfigMap>().Single(map => map.Metadata.Name == source.ConfigMapRef.Name).Data.Keys)
            .Concat((workload.Container.Env ?? []).Select(static variable => variable.Name));

    /// <summary>The settings that classes of options have: everything that a section binds to.</summary>
    private static IEnumerable<string> OptionNames() =>
        from name in (string[])["Cerver.Api", "Cerver.Grains", "Cerver.Silo"]
        from type in Assembly.Load(name).GetTypes()
        let section = type.GetField("Section", BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic)
        where section is { IsLiteral: true }
        from property in type.GetProperties()
        where property.CanWrite
        select $"{section.GetRawConstantValue()}:{property.Name}";
}
