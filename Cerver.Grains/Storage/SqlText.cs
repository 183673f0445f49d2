using System.Collections.Concurrent;

namespace Cerver.Grains.Storage;

/// <summary>The SQL statements, embedded beside the stores that run them.</summary>
internal static class SqlText
{
    private static readonly ConcurrentDictionary<string, string> Texts = new(StringComparer.Ordinal);

    /// <summary>One statement by its path in the project, such as <c>Sessions/Sqlite/find.sql</c>.</summary>
    public static string Load(string path) => Texts.GetOrAdd(path, Read);

    /// <summary>The paths of the schema steps below a folder, in order.</summary>
    public static IEnumerable<string> Steps(string folder, string prefix) =>
        typeof(SqlText).Assembly.GetManifestResourceNames()
            .Where(name => name.StartsWith($"{folder}/{prefix}", StringComparison.Ordinal))
            .Where(name => name.AsSpan(folder.Length + 1 + prefix.Length, 4).IndexOfAnyExceptInRange('0', '9') < 0)
            .Order(StringComparer.Ordinal);

    private static string Read(string path)
    {
        using var stream = typeof(SqlText).Assembly.GetManifestResourceStream(path)
            ?? throw new InvalidOperationException($"There is no embedded statement '{path}'.");
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }
}
