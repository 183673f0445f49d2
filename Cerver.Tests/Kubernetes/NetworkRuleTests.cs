using k8s;
using k8s.Models;

namespace Cerver.Tests.Kubernetes;

/// <summary>Who reaches whom, worked out from the policies.</summary>
public sealed class NetworkRuleTests
{
    private static readonly Dictionary<string, string> IngressController = new() { ["kubernetes.io/metadata.name"] = "ingress-nginx" };

    public static TheoryData<string> Overlays => Manifests.Overlays;

    [Theory]
    [InlineData("front-door", "silo", 30_000, true)]
    [InlineData("silo", "silo", 11_111, true)]
    [InlineData("front-door", "silo", 11_111, false)]
    [InlineData("front-door", "silo", 8080, false)]
    [InlineData("silo", "silo", 30_000, false)]
    [InlineData("silo", "front-door", 8080, false)]
    [InlineData("front-door", "front-door", 8080, false)]
    [InlineData("migration", "silo", 11_111, false)]
    [InlineData("migration", "silo", 30_000, false)]
    [InlineData("silo", "database", 5432, true)]
    [InlineData("front-door", "database", 5432, true)]
    [InlineData("migration", "database", 5432, true)]
    [InlineData("database", "silo", 11_111, false)]
    public void A_pod_reaches_another_only_where_it_has_to(string from, string to, int port, bool reaches)
    {
        var documents = Manifests.Rendered("dev");

        Assert.Equal(reaches, Leaves(documents, Pod(documents, from), Pod(documents, to), port) && Enters(documents, Pod(documents, from), Pod(documents, to), port));
    }

    [Theory]
    [MemberData(nameof(Overlays))]
    public void The_ingress_controller_reaches_front_doors_and_nobody_else(string overlay)
    {
        var documents = Manifests.Rendered(overlay);

        foreach (var workload in documents.Workloads())
        {
            var reached = workload.Ports.Where(port => Policies(documents, workload, "Ingress").SelectMany(static policy => policy.Spec.Ingress ?? [])
                .Any(rule => Opens(rule.Ports, port) && rule.FromProperty.Any(static peer => peer.NamespaceSelector is not null && peer.NamespaceSelector.Takes(IngressController))));
            Assert.Equal(workload.Component == "front-door" ? [8080] : [], reached);
        }
    }

    [Theory]
    [MemberData(nameof(Overlays))]
    public void Who_uses_the_database_may_leave_for_it(string overlay)
    {
        foreach (var workload in Manifests.Rendered(overlay).Workloads().Where(static workload => workload.IsCerver))
        {
            Assert.Contains(Policies(Manifests.Rendered(overlay), workload, "Egress").SelectMany(static policy => policy.Spec.Egress ?? []), static rule => Opens(rule.Ports, 5432));
        }
    }

    [Theory]
    [MemberData(nameof(Overlays))]
    public void What_no_policy_names_is_refused_in_both_directions(string overlay)
    {
        var everything = Assert.Single(Manifests.Rendered(overlay).OfType<V1NetworkPolicy>(), static policy => policy.Metadata.Name == "default-deny");

        Assert.Equal(["Ingress", "Egress"], everything.Spec.PolicyTypes);
        Assert.Null(everything.Spec.Ingress);
        Assert.Null(everything.Spec.Egress);
        Assert.All(Manifests.Rendered(overlay).Workloads(), workload => Assert.True(everything.Spec.PodSelector.Takes(workload.Labels)));
    }

    [Theory]
    [MemberData(nameof(Overlays))]
    public void A_policy_names_pods_that_there_are_and_ports_that_they_listen_on(string overlay)
    {
        var workloads = Manifests.Rendered(overlay).Workloads();
        foreach (var policy in Manifests.Rendered(overlay).OfType<V1NetworkPolicy>())
        {
            var taken = workloads.Where(workload => policy.Spec.PodSelector.Takes(workload.Labels)).ToList();
            Assert.NotEmpty(taken);
            foreach (var rule in policy.Spec.Ingress ?? [])
            {
                Assert.All(rule.Ports, port => Assert.All(taken, workload => Assert.Contains(Number(port), workload.Ports)));
                Assert.All(rule.FromProperty.Where(static peer => peer.PodSelector is not null), peer => Assert.Contains(workloads, workload => peer.PodSelector.Takes(workload.Labels)));
            }

            foreach (var (rule, peer) in (policy.Spec.Egress ?? []).SelectMany(static rule => (rule.To ?? []).Where(static peer => peer.PodSelector is not null), static (rule, peer) => (rule, peer)))
            {
                var reached = workloads.Where(workload => peer.PodSelector.Takes(workload.Labels)).ToList();
                Assert.NotEmpty(reached);
                Assert.All(rule.Ports, port => Assert.All(reached, workload => Assert.Contains(Number(port), workload.Ports)));
            }
        }
    }

    private static Workload Pod(IEnumerable<IKubernetesObject<V1ObjectMeta>> documents, string component) =>
        documents.Workloads().Single(workload => workload.Component == component);

    private static bool Leaves(IReadOnlyList<IKubernetesObject<V1ObjectMeta>> documents, Workload from, Workload to, int port) =>
        Policies(documents, from, "Egress").SelectMany(static policy => policy.Spec.Egress ?? []).Any(rule => Opens(rule.Ports, port) && Names(rule.To, to));

    private static bool Enters(IReadOnlyList<IKubernetesObject<V1ObjectMeta>> documents, Workload from, Workload to, int port) =>
        Policies(documents, to, "Ingress").SelectMany(static policy => policy.Spec.Ingress ?? []).Any(rule => Opens(rule.Ports, port) && Names(rule.FromProperty, from));

    private static IEnumerable<V1NetworkPolicy> Policies(IEnumerable<IKubernetesObject<V1ObjectMeta>> documents, Workload workload, string direction) =>
        documents.OfType<V1NetworkPolicy>().Where(policy => policy.Spec.PolicyTypes.Contains(direction) && policy.Spec.PodSelector.Takes(workload.Labels));

    /// <summary>A rule that names nobody is for everybody.</summary>
    private static bool Names(IList<V1NetworkPolicyPeer>? peers, Workload workload) =>
        peers is null || peers.Any(peer => peer.NamespaceSelector is null && peer.PodSelector.Takes(workload.Labels));

    private static bool Opens(IEnumerable<V1NetworkPolicyPort> ports, int number) => ports.Any(port => Number(port) == number);

    private static int Number(V1NetworkPolicyPort port) => int.Parse(port.Port, System.Globalization.CultureInfo.InvariantCulture);
}
