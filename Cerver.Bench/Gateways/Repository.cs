namespace Cerver.Bench.Gateways;

/// <summary>The checkout that the bench was built from.</summary>
internal sealed class Repository
{
    private Repository(string root) => Root = root;

    /// <summary>Its directory.</summary>
    public string Root { get; }

    /// <summary>The command that builds and starts a gateway.</summary>
    public string UpScript => Path.Combine(Root, "scripts", "up");

    /// <summary>The release build of the gateway.</summary>
    /// <exception cref="BenchException">There is none.</exception>
    public string GatewayPath
    {
        get
        {
            var path = Path.Combine(Root, "Cerver.Silo", "bin", "Release", "net10.0", "Cerver.Silo.dll");
            return File.Exists(path)
                ? path
                : throw new BenchException("There is no release build of the gateway: dotnet build Cerver.Silo -c Release.");
        }
    }

    /// <summary>The release build of the relay.</summary>
    /// <exception cref="BenchException">There is none.</exception>
    public string RelayPath
    {
        get
        {
            var path = Path.Combine(Root, "Cerver.Relay", "bin", "Release", "net10.0", "Cerver.Relay.dll");
            return File.Exists(path)
                ? path
                : throw new BenchException("There is no release build of the relay: dotnet build Cerver.Relay -c Release.");
        }
    }

    /// <summary>Finds it above the program.</summary>
    /// <exception cref="BenchException">The program was moved out of it.</exception>
    public static Repository Find()
    {
        for (var directory = new DirectoryInfo(AppContext.BaseDirectory); directory is not null; directory = directory.Parent)
        {
            if (File.Exists(Path.Combine(directory.FullName, "Cerver.sln")))
            {
                return new(directory.FullName);
            }
        }

        throw new BenchException($"Cerver.sln is nowhere above {AppContext.BaseDirectory}: run the bench from its build directory.");
    }

    /// <summary>Makes an empty directory on the disk of the repository, so that all figures are of one disk.</summary>
    public WorkDirectory MakeWorkDirectory() =>
        new(Directory.CreateDirectory(Path.Combine(Root, "artifacts", "bench", Path.GetRandomFileName())).FullName);
}

/// <summary>A directory that is removed with all it holds.</summary>
internal sealed class WorkDirectory(string path) : IDisposable
{
    /// <summary>Where it is.</summary>
    public string Path { get; } = path;

    /// <inheritdoc/>
    public void Dispose()
    {
        if (Directory.Exists(Path))
        {
            Directory.Delete(Path, recursive: true);
        }
    }
}
