namespace Cerver.Relay;

/// <summary>The id that this machine has chosen, kept for ever in its data directory.</summary>
internal static class MachineIdentity
{
    private const string FileName = "compute_id";
    private const string Prefix = "comp_";

    /// <summary>The id; the first time one is made.</summary>
    public static string Read(string directory)
    {
        var path = Path.Combine(directory, FileName);
        if (File.Exists(path) && File.ReadAllText(path).Trim() is { Length: > 0 } known)
        {
            return known;
        }

        var made = $"{Prefix}{Guid.NewGuid():n}";
        var temporary = $"{path}.{Environment.ProcessId}";
        File.WriteAllText(temporary, made);
        File.Move(temporary, path, overwrite: true);
        return made;
    }
}
