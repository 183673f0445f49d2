using System.Reflection;

namespace Cerver.Tests.Structure;

/// <summary>Which project may use which.</summary>
public sealed class ArrowsTests
{
    [Theory]
    [InlineData("Cerver.Grains.Interfaces", "")]
    [InlineData("Cerver.Grains", "Cerver.Grains.Interfaces")]
    [InlineData("Cerver.Api", "Cerver.Grains.Interfaces")]
    [InlineData("Cerver.Silo", "Cerver.Api,Cerver.Grains,Cerver.Grains.Interfaces")]
    public void A_project_uses_only_the_projects_it_may(string project, string allowed)
    {
        var used = References(project).Where(name => name.StartsWith("Cerver.", StringComparison.Ordinal));

        Assert.Subset(allowed.Split(',').ToHashSet(StringComparer.Ordinal), used.ToHashSet(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData("Cerver.Grains.Interfaces")]
    [InlineData("Cerver.Grains")]
    public void Grains_know_nothing_of_http(string project) =>
        Assert.DoesNotContain(References(project), name => name.StartsWith("Microsoft.AspNetCore", StringComparison.Ordinal));

    [Fact]
    public void The_api_knows_no_database() =>
        Assert.DoesNotContain(References("Cerver.Api"), name => name.Contains("Sqlite", StringComparison.OrdinalIgnoreCase) || name.Contains("Npgsql", StringComparison.Ordinal));

    private static IEnumerable<string> References(string project) =>
        Assembly.Load(project).GetReferencedAssemblies().Select(assembly => assembly.Name!);
}
