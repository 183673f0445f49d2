using Cerver.Api;
using Cerver.Api.Hosting;
using k8s.Models;

namespace Cerver.Tests.Kubernetes;

/// <summary>What every pod keeps to, in every overlay.</summary>
public sealed class PodRuleTests
{
    public static TheoryData<string> Overlays => Manifests.Overlays;

    [Theory]
    [MemberData(nameof(Overlays))]
    public void No_container_is_root_gains_rights_or_writes_to_its_image(string overlay)
    {
        foreach (var workload in Manifests.Rendered(overlay).Workloads())
        {
            var (pod, container) = (workload.Template.Spec.SecurityContext, workload.Container.SecurityContext);

            Assert.True(pod.RunAsNonRoot, workload.ToString());
            Assert.True(pod.RunAsUser > 0, workload.ToString());
            Assert.False(container.AllowPrivilegeEscalation, workload.ToString());
            Assert.True(container.ReadOnlyRootFilesystem, workload.ToString());
            Assert.Equal(["ALL"], container.Capabilities.Drop);
            Assert.Null(container.Capabilities.Add);
            Assert.Null(container.Privileged);
            Assert.Null(container.RunAsUser);
            Assert.Equal("RuntimeDefault", pod.SeccompProfile.Type);
            Assert.Null(workload.Template.Spec.HostNetwork);
            Assert.Null(workload.Template.Spec.HostPID);
            Assert.DoesNotContain(workload.Template.Spec.Volumes ?? [], static volume => volume.HostPath is not null);
        }
    }

    [Theory]
    [MemberData(nameof(Overlays))]
    public void Only_silos_with_sandboxes_go_without_the_filters_of_the_container_runtime_and_then_have_no_rights_on_the_node(string overlay)
    {
        foreach (var workload in Manifests.Rendered(overlay).Workloads())
        {
            var container = workload.Container.SecurityContext;
            var sandboxes = overlay == "prod-local-sandboxes" && workload.Component == "silo";

            Assert.Equal(sandboxes ? "Unconfined" : null, container.SeccompProfile?.Type);
            Assert.Equal(sandboxes ? "Unconfined" : null, container.AppArmorProfile?.Type);
            Assert.Equal(sandboxes ? "Unmasked" : null, container.ProcMount);
            Assert.Equal(sandboxes ? false : null, workload.Template.Spec.HostUsers);
        }
    }

    [Theory]
    [InlineData("dev", "restricted")]
    [InlineData("prod", "restricted")]
    [InlineData("prod-local-sandboxes", "privileged")]
    public void The_namespace_enforces_the_restricted_standard_unless_silos_have_sandboxes(string overlay, string standard)
    {
        var space = Assert.Single(Manifests.Rendered(overlay).OfType<V1Namespace>());

        Assert.Equal(standard, space.Metadata.Labels["pod-security.kubernetes.io/enforce"]);
        Assert.Equal("restricted", space.Metadata.Labels["pod-security.kubernetes.io/warn"]);
        Assert.All(Manifests.Rendered(overlay).Where(static document => document is not V1Namespace), document => Assert.Equal(space.Metadata.Name, document.Metadata.NamespaceProperty));
    }

    [Theory]
    [MemberData(nameof(Overlays))]
    public void Every_container_says_what_it_needs_and_has_a_limit_of_memory(string overlay)
    {
        foreach (var workload in Manifests.Rendered(overlay).Workloads())
        {
            var resources = workload.Container.Resources;

            Assert.True(resources.Requests["cpu"].ToDecimal() > 0, workload.ToString());
            Assert.True(resources.Requests["memory"].ToDecimal() <= resources.Limits["memory"].ToDecimal(), workload.ToString());
        }
    }

    [Theory]
    [MemberData(nameof(Overlays))]
    public void Every_container_that_serves_is_probed_and_the_programs_of_ours_at_their_own_paths(string overlay)
    {
        foreach (var workload in Manifests.Rendered(overlay).Workloads().Where(static workload => workload.IsService))
        {
            var container = workload.Container;
            Assert.NotNull(container.StartupProbe);
            Assert.NotNull(container.LivenessProbe);
            Assert.NotNull(container.ReadinessProbe);
            if (workload.IsCerver)
            {
                Assert.Equal(("/livez", "/livez", "/readyz"), (container.StartupProbe.HttpGet.Path, container.LivenessProbe.HttpGet.Path, container.ReadinessProbe.HttpGet.Path));
                Assert.All(
                    [container.StartupProbe, container.LivenessProbe, container.ReadinessProbe],
                    probe => Assert.Contains(container.Ports, port => port.Name == probe.HttpGet.Port));
            }
        }
    }

    [Theory]
    [MemberData(nameof(Overlays))]
    public void Kubernetes_waits_longer_than_a_stop_takes(string overlay)
    {
        foreach (var workload in Manifests.Rendered(overlay).Workloads().Where(static workload => workload.IsCerver && workload.IsService))
        {
            var before = TimeSpan.FromSeconds(workload.Container.Lifecycle?.PreStop.Sleep.Seconds ?? 0);

            Assert.True(TimeSpan.FromSeconds(workload.Template.Spec.TerminationGracePeriodSeconds!.Value) > before + HostFrame.StopLimit, workload.ToString());
        }
    }

    [Theory]
    [MemberData(nameof(Overlays))]
    public void Only_silos_without_sandboxes_have_a_token_of_kubernetes_and_it_reads_pods_and_does_nothing_else(string overlay)
    {
        var documents = Manifests.Rendered(overlay);

        var holders = documents.Workloads().Where(static workload => workload.Template.Spec.AutomountServiceAccountToken != false).Select(static workload => workload.Component);
        Assert.Equal(overlay == "prod-local-sandboxes" ? [] : ["silo"], holders);
        Assert.All(documents.OfType<V1ServiceAccount>(), static account => Assert.False(account.AutomountServiceAccountToken));
        var rule = Assert.Single(Assert.Single(documents.OfType<V1Role>()).Rules);
        Assert.Equal("", Assert.Single(rule.ApiGroups));
        Assert.Equal("pods", Assert.Single(rule.Resources));
        Assert.Equal(["get", "list", "watch"], rule.Verbs);
        var binding = Assert.Single(documents.OfType<V1RoleBinding>());
        Assert.Equal(("Role", "cerver-silo"), (binding.RoleRef.Kind, binding.RoleRef.Name));
        var subject = Assert.Single(binding.Subjects);
        Assert.Equal(("ServiceAccount", "cerver-silo", binding.Metadata.NamespaceProperty), (subject.Kind, subject.Name, subject.NamespaceProperty));
        Assert.DoesNotContain(documents, static document => document is V1ClusterRole or V1ClusterRoleBinding);
    }

    [Theory]
    [InlineData("dev", 1, 1, true)]
    [InlineData("prod", 3, 2, false)]
    [InlineData("prod-local-sandboxes", 3, 2, false)]
    public void An_overlay_has_as_many_pods_as_it_says_and_only_dev_a_database(string overlay, int silos, int frontDoors, bool database)
    {
        var pods = Manifests.Rendered(overlay).Workloads().Where(static workload => workload.IsService).ToDictionary(static workload => workload.Component, static workload => workload.Replicas);

        var expected = new Dictionary<string, int?> { ["silo"] = silos, ["front-door"] = frontDoors };
        if (database)
        {
            expected["database"] = 1;
        }

        Assert.Equal(expected, pods);
    }

    [Fact]
    public void A_silo_with_sandboxes_comes_back_with_their_files_and_the_name_that_is_beside_them()
    {
        var documents = Manifests.Rendered("prod-local-sandboxes");
        var settings = documents.OfType<V1ConfigMap>().SelectMany(static map => map.Data).ToDictionary();
        var silo = documents.Workloads().Single(static workload => workload.Component == "silo");

        var claim = Assert.Single(Assert.IsType<V1StatefulSet>(silo.Document).Spec.VolumeClaimTemplates);
        var mount = Assert.Single(silo.Container.VolumeMounts);
        Assert.Equal((claim.Metadata.Name, settings["CERVER_DATA"]), (mount.Name, mount.MountPath));
        Assert.Equal(silo.Template.Spec.SecurityContext.RunAsGroup, silo.Template.Spec.SecurityContext.FsGroup);

        // With it the silo would have the pod's name, and one that comes back could be taken for the pod that is gone.
        Assert.Equal("false", settings["Cerver__Cluster__Kubernetes"]);
        Assert.Equal("status.podIP", silo.Container.Env.Single(static variable => variable.Name == "Cerver__Cluster__AdvertisedAddress").ValueFrom.FieldRef.FieldPath);
    }

    [Theory]
    [InlineData("dev")]
    [InlineData("prod")]
    public void A_silo_that_asks_kubernetes_has_a_name_that_never_comes_back(string overlay)
    {
        var documents = Manifests.Rendered(overlay);

        Assert.Equal("true", documents.OfType<V1ConfigMap>().SelectMany(static map => map.Data).ToDictionary()["Cerver__Cluster__Kubernetes"]);
        Assert.IsType<V1Deployment>(documents.Workloads().Single(static workload => workload.Component == "silo").Document);
    }

    [Theory]
    [InlineData("prod")]
    [InlineData("prod-local-sandboxes")]
    public void The_images_of_prod_are_those_of_this_version(string overlay)
    {
        var version = typeof(ApiOptions).Assembly.GetName().Version!.ToString(3);

        Assert.All(Manifests.Rendered(overlay).Workloads(), workload => Assert.EndsWith($":{version}", workload.Container.Image, StringComparison.Ordinal));
    }
}
