namespace Cerver.Tests.Kubernetes;

public sealed class ContainerStartTests
{
    private static readonly Dictionary<string, string> Secrets = new()
    {
        ["cerver-database/connection-string"] = "Host=db",
        ["cerver-api-token/token"] = "a-token-of-the-test",
    };

    private static readonly Dictionary<string, string> Fields = new()
    {
        ["metadata.name"] = "cerver-silo-1",
        ["metadata.namespace"] = "cerver",
        ["status.podIP"] = "127.0.0.1",
    };

    [Fact]
    public void A_silo_is_started_with_the_settings_of_both_maps_the_secret_and_the_fields_of_its_pod()
    {
        var start = ContainerStart.Of(Manifests.Rendered("prod"), "silo", Secrets, Fields);

        Assert.Equal(
            new SortedDictionary<string, string>(StringComparer.Ordinal)
            {
                ["ASPNETCORE_URLS"] = "http://+:8080",
                ["Cerver__Api__Enabled"] = "false",
                ["Cerver__Api__MaxConcurrentImports"] = "1",
                ["Cerver__Cluster__ClusterId"] = "cerver",
                ["Cerver__Cluster__GatewayPort"] = "30000",
                ["Cerver__Cluster__Kubernetes"] = "true",
                ["Cerver__Cluster__MigrateAtStart"] = "false",
                ["Cerver__Cluster__ServiceId"] = "cerver",
                ["Cerver__Cluster__SiloPort"] = "11111",
                ["Cerver__Compute__Local__Enabled"] = "false",
                ["Cerver__Storage"] = "Postgres",
                ["ConnectionStrings__Cerver"] = "Host=db",
                ["DOTNET_EnableDiagnostics"] = "0",
                ["ORLEANS_CLUSTER_ID"] = "cerver",
                ["ORLEANS_SERVICE_ID"] = "cerver",
                ["POD_IP"] = "127.0.0.1",
                ["POD_NAME"] = "cerver-silo-1",
                ["POD_NAMESPACE"] = "cerver",
            },
            new SortedDictionary<string, string>(start.Environment.ToDictionary(), StringComparer.Ordinal));
        Assert.Empty(start.Arguments);
    }

    [Fact]
    public void A_front_door_is_started_with_the_token_and_nothing_of_a_silo()
    {
        var start = ContainerStart.Of(Manifests.Rendered("prod"), "front-door", Secrets, Fields);

        Assert.Equal(
            ["ASPNETCORE_URLS", "CERVER_API_TOKEN", "Cerver__Api__MaxConcurrentImports", "Cerver__Cluster__ClusterId", "Cerver__Cluster__ServiceId", "Cerver__Storage", "ConnectionStrings__Cerver", "DOTNET_EnableDiagnostics"],
            start.Environment.Keys.Order(StringComparer.Ordinal));
        Assert.Equal("a-token-of-the-test", start.Environment["CERVER_API_TOKEN"]);
    }

    [Fact]
    public void The_migration_is_the_command_of_the_silo()
    {
        var start = ContainerStart.Of(Manifests.Rendered("prod"), "migration", Secrets, Fields);

        Assert.Equal(["migrate"], start.Arguments);
        Assert.Equal("Host=db", start.Environment["ConnectionStrings__Cerver"]);
    }

    [Fact]
    public void Secrets_of_the_overlay_are_used_where_none_are_given()
    {
        var start = ContainerStart.Of(Manifests.Rendered("dev"), "front-door", new Dictionary<string, string>(), Fields);

        Assert.Equal("only-for-trying-out", start.Environment["CERVER_API_TOKEN"]);
        Assert.StartsWith("Host=postgres;", start.Environment["ConnectionStrings__Cerver"], StringComparison.Ordinal);
    }

    [Fact]
    public void A_secret_that_nobody_gives_is_named()
    {
        var refusal = Assert.Throws<KeyNotFoundException>(() => ContainerStart.Of(Manifests.Rendered("prod"), "silo", new Dictionary<string, string>(), Fields));

        Assert.Contains("cerver-database/connection-string", refusal.Message, StringComparison.Ordinal);
    }
}
