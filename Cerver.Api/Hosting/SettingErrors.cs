using System.ComponentModel.DataAnnotations;
using System.Globalization;
using System.Reflection;
using System.Text.RegularExpressions;
using Microsoft.Extensions.Options;

namespace Cerver.Api.Hosting;

/// <summary>Turns what the configuration system says of a bad setting into one line with the setting's name and its legal range.</summary>
internal static partial class SettingErrors
{
    /// <summary>A setting that was read but is out of range.</summary>
    public static string Describe(OptionsValidationException invalid)
    {
        var section = SectionOf(invalid.OptionsType);
        return string.Join(' ', invalid.Failures.Select(failure => ValidatorPrefix().Replace(failure, $"The setting {section}:${{name}} is wrong: ")));
    }

    /// <summary>A setting that could not be read as what it is, or null when the exception is about something else.</summary>
    public static string? Describe(InvalidOperationException unreadable)
    {
        if (UnreadableValue().Match(unreadable.Message) is not { Success: true } match)
        {
            return null;
        }

        var path = match.Groups["path"].Value;
        var property = Options().SelectMany(
                options => options.GetProperties(),
                (options, property) => (Path: $"{SectionOf(options)}:{property.Name}", Property: property))
            .FirstOrDefault(candidate => candidate.Path.Equals(path, StringComparison.OrdinalIgnoreCase)).Property;
        return $"The setting {path} is wrong: '{match.Groups["value"].Value}' is not {(property is null ? "a value it can have" : Legal(property))}.";
    }

    private static string Legal(PropertyInfo property)
    {
        if (property.GetCustomAttribute<RangeAttribute>() is { } range)
        {
            return string.Create(CultureInfo.InvariantCulture, $"between {range.Minimum} and {range.Maximum}");
        }

        return property.PropertyType.IsEnum ? $"one of {string.Join(", ", Enum.GetNames(property.PropertyType))}" : $"a {property.PropertyType.Name}";
    }

    private static string SectionOf(Type options) => options.GetField("Section")?.GetRawConstantValue() as string ?? options.Name;

    private static IEnumerable<Type> Options() =>
        AppDomain.CurrentDomain.GetAssemblies()
            .Where(assembly => assembly.GetName().Name!.StartsWith("Cerver.", StringComparison.Ordinal))
            .SelectMany(assembly => assembly.GetTypes())
            .Where(type => type.GetField("Section") is { IsLiteral: true });

    [GeneratedRegex(@"^(?<name>\w+): ", RegexOptions.CultureInvariant, matchTimeoutMilliseconds: 1000)]
    private static partial Regex ValidatorPrefix();

    [GeneratedRegex("^Failed to convert configuration value '(?<value>.*)' at '(?<path>[^']+)' to type", RegexOptions.CultureInvariant, matchTimeoutMilliseconds: 1000)]
    private static partial Regex UnreadableValue();
}
