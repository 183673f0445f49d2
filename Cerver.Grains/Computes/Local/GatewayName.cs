namespace Cerver.Grains.Computes.Local;

/// <summary>
/// The name of a gateway: random, made once and kept in its data directory. The path of that directory is no name, because two containers may have the
/// same and share a volume.
/// </summary>
/// <param name="dataDirectory">The gateway's data directory.</param>
internal sealed class GatewayName(string dataDirectory)
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    private readonly string _path = Path.Combine(Path.GetFullPath(dataDirectory), "gateway");

    /// <summary>The name, 32 hexadecimal digits.</summary>
    /// <exception cref="IOException">It cannot be read or stored.</exception>
    public string Read()
    {
        if (!File.Exists(_path))
        {
            Directory.CreateDirectory(Path.GetDirectoryName(_path)!, OwnerOnly);
            WriteOnce(_path, Guid.NewGuid().ToString("n"));
        }

        return File.ReadAllText(_path);
    }

    /// <summary>Writes the name into a file, unless there is one.</summary>
    /// <exception cref="IOException">It cannot be stored.</exception>
    public void WriteTo(string path)
    {
        if (!File.Exists(path))
        {
            WriteOnce(path, Read());
        }
    }

    /// <summary>Writes beside and then moves, so that a stop in between leaves no half of a name and of two writers one wins.</summary>
    private static void WriteOnce(string path, string text)
    {
        var draft = $"{path}.{Guid.NewGuid():n}";
        try
        {
            File.WriteAllText(draft, text);
            File.Move(draft, path, overwrite: false);
        }
        catch (IOException) when (File.Exists(path))
        {
            // Another gateway was first.
        }
        finally
        {
            File.Delete(draft);
        }
    }
}
