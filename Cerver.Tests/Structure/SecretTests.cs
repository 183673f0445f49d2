using System.Reflection;
using System.Text.RegularExpressions;
using Cerver.Api;
using Cerver.Grains.Secrets;
using Cerver.Secrets;
using Microsoft.Extensions.Logging;

namespace Cerver.Tests.Structure;

/// <summary>A value is revealed where it has to go and nowhere else. The compiler refuses every other use of <see cref="Secret.Reveal"/>; here stand those that it lets pass.</summary>
public sealed partial class SecretTests
{
    private static readonly Assembly[] Programs = [typeof(Secret).Assembly, typeof(SecretRules).Assembly, typeof(ApiOptions).Assembly, typeof(Cerver.Silo.Gateway).Assembly];

    [Fact]
    public void Values_are_revealed_in_these_files_only()
    {
        var root = Repository();
        var found = Directory.EnumerateFiles(root, "*.cs", SearchOption.AllDirectories)
            .Select(file => Path.GetRelativePath(root, file))
            .Where(static file => !file.StartsWith("Cerver.Tests", StringComparison.Ordinal) && !Generated().IsMatch(file))
            .Where(file => File.ReadAllText(Path.Combine(root, file)).Contains("Reveal()", StringComparison.Ordinal))
            .Order(StringComparer.Ordinal);

        Assert.Equal(
            [
                "Cerver.Api/Secrets/SecretAnswers.cs",
                "Cerver.Grains.Interfaces/Secrets/Secret.cs",
                "Cerver.Grains/Computes/SandboxEnvironment.cs",
                "Cerver.Grains/Secrets/Infisical/InfisicalClient.cs",
                "Cerver.Grains/Secrets/Infisical/InfisicalVaultRules.cs",
                "Cerver.Grains/Secrets/Redaction/SecretMatcher.cs",
                "Cerver.Grains/Secrets/Vault/VaultClient.cs",
                "Cerver.Silo/Keys/CredentialProtector.cs",
            ],
            found);
    }

    [Fact]
    public void No_log_method_takes_a_value_or_something_that_has_one()
    {
        var methods = Programs.SelectMany(static program => program.GetTypes())
            .SelectMany(static type => type.GetMethods(BindingFlags.Instance | BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly))
            .Where(static method => method.GetCustomAttribute<LoggerMessageAttribute>() is not null)
            .ToList();

        Assert.True(methods.Count > 20);
        Assert.All(methods, static method => Assert.DoesNotContain(method.GetParameters(), static parameter => HasValue(parameter.ParameterType, depth: 3)));
    }

    [Fact]
    public void What_has_a_value_does_not_show_it_as_text()
    {
        const string Value = "the-value-itself";
        var fetched = new FetchedSecret("NAME", new Secret(Value), "env");

        Assert.All(
            new object[] { fetched, fetched.Value, new SecretInjection([], [fetched], Refusal: null), $"{fetched}", new[] { fetched } },
            static shown => Assert.DoesNotContain(Value, $"{shown} {System.Text.Json.JsonSerializer.Serialize(shown)}", StringComparison.Ordinal));
    }

    private static bool HasValue(Type type, int depth) =>
        type == typeof(Secret)
        || (type.IsGenericType && type.GetGenericArguments().Any(argument => HasValue(argument, depth)))
        || (depth > 0 && type.Namespace?.StartsWith("Cerver", StringComparison.Ordinal) == true
            && type.GetProperties().Any(property => HasValue(property.PropertyType, depth - 1)));

    private static string Repository()
    {
        var directory = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(directory.FullName, "Cerver.sln")))
        {
            directory = directory.Parent ?? throw new InvalidOperationException("The tests are not in the repository.");
        }

        return directory.FullName;
    }

    [GeneratedRegex("(^|/)(bin|obj)/", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Generated();
}
