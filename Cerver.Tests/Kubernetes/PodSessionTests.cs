using System.Net;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text.Json;
using Cerver.Api.Hosting;
using Cerver.Tests.Storage;
using k8s.Models;

namespace Cerver.Tests.Kubernetes;

/// <summary>What the manifests of <c>prod</c> start works, in processes that are shut in as their pods are.</summary>
public sealed class PodSessionTests
{
    private const string Token = "a-token-of-the-operator";
    private const string SiloName = "cerver-silo-6c9f8b7d5-x2k4q";

    [Fact]
    public async Task The_job_the_silo_and_the_front_door_serve_a_session_with_what_the_manifests_give_them()
    {
        var documents = Manifests.Rendered("prod");
        await using var server = await TestPostgres.StartOwnAsync();
        await using var api = await KubernetesApi.StartAsync(documents.OfType<V1Role>().Single());
        var cluster = new Pods(await server.CreateEmptyDatabaseAsync(), api);

        // A silo that comes before the schema ends, and Kubernetes starts it again.
        await using (var early = cluster.Start("silo"))
        {
            Assert.NotEqual(0, (await early.EndedAsync()).ExitCode);
        }

        await using (var migration = cluster.Start("migration"))
        {
            var (exitCode, said) = await migration.EndedAsync();
            Assert.True(exitCode == 0, said);
        }

        await using var silo = cluster.Start("silo");
        using var atSilo = new HttpClient { BaseAddress = await silo.UpAsync() };
        await using var frontDoor = cluster.Start("front-door");
        using var atFrontDoor = new HttpClient { BaseAddress = await frontDoor.UpAsync() };
        atFrontDoor.DefaultRequestHeaders.Authorization = new("Bearer", Token);
        await BecomesReadyAsync(atSilo);
        await BecomesReadyAsync(atFrontDoor);

        using var created = await atFrontDoor.PostAsJsonAsync("/v2/sessions", new { session_type = "transcript" });
        Assert.Equal(HttpStatusCode.Created, created.StatusCode);
        var session = (await created.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("session_id").GetString();
        using var appended = await atFrontDoor.PostAsJsonAsync($"/v2/sessions/{session}/transcript", new { entries = (object[])[new { role = "user", content = "from a pod" }] });
        Assert.Equal(HttpStatusCode.Created, appended.StatusCode);
        var record = await atFrontDoor.GetFromJsonAsync<JsonElement>($"/v2/sessions/{session}?full=1");
        Assert.Equal("from a pod", record.GetProperty("transcript")[0].GetProperty("content").GetString());

        // The silo serves its probes only, and asked Kubernetes for nothing that its role has not got.
        Assert.Equal(HttpStatusCode.NotFound, (await atSilo.GetAsync("/v2/sessions")).StatusCode);
        Assert.Equal(["get", "list", "watch"], api.Asked);

        // Before Kubernetes loses its patience.
        Assert.Equal(0, (await frontDoor.StopAsync().WaitAsync(HostFrame.StopLimit)).ExitCode);
        Assert.Equal(0, (await silo.StopAsync().WaitAsync(HostFrame.StopLimit)).ExitCode);
    }

    private static async Task BecomesReadyAsync(HttpClient client)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(1));
        using var period = new PeriodicTimer(TimeSpan.FromMilliseconds(100));
        while (true)
        {
            using var ready = await client.GetAsync("/readyz", limit.Token);
            if (ready.StatusCode == HttpStatusCode.OK)
            {
                return;
            }

            await period.WaitForNextTickAsync(limit.Token);
        }
    }

    /// <summary>
    /// Starts pods of <c>prod</c>. Pods have addresses of their own, which processes of one machine have not: so they have other ports
    /// here.
    /// </summary>
    private sealed class Pods(string connectionString, KubernetesApi api)
    {
        private static readonly Dictionary<string, string> Fields = new()
        {
            ["metadata.name"] = SiloName,
            ["metadata.namespace"] = "cerver",
            ["status.podIP"] = "127.0.0.1",
        };

        private readonly Dictionary<string, string> _secrets = new()
        {
            ["cerver-database/connection-string"] = connectionString,
            ["cerver-api-token/token"] = Token,
        };

        private readonly Dictionary<string, string> _ports = new()
        {
            ["ASPNETCORE_URLS"] = "http://127.0.0.1:0",
            ["Cerver__Cluster__SiloPort"] = FreePort(),
            ["Cerver__Cluster__GatewayPort"] = FreePort(),
        };

        public PodProcess Start(string component)
        {
            var documents = Manifests.Rendered("prod");
            var workload = documents.Workloads().Single(workload => workload.Component == component);
            var start = ContainerStart.Of(documents, component, _secrets, Fields);
            var isSilo = component == "silo";
            if (isSilo)
            {
                api.Add(SiloName, workload.Template);
            }

            return PodProcess.Start(component == "front-door" ? "Cerver.Api" : "Cerver.Silo", workload, start with
            {
                Environment = start.Environment.Select(variable => _ports.TryGetValue(variable.Key, out var port) ? new(variable.Key, port) : variable)
                    .Concat(isSilo ? api.Variables : []).ToDictionary(),
            }, isSilo ? api.ServiceAccount : null);
        }

        private static string FreePort()
        {
            using var listener = new TcpListener(IPAddress.Loopback, port: 0);
            listener.Start();
            return $"{((IPEndPoint)listener.LocalEndpoint).Port}";
        }
    }
}
