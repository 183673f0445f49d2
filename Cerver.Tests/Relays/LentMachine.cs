namespace Cerver.Tests.Relays;

/// <summary>A machine that our own relay lends: its data directory, its line to a front door, and the relay, in a process of its own.</summary>
internal sealed class LentMachine : IAsyncDisposable
{
    private LentMachine(string data, string computeId, BreakableLine line, RelayProcess relay) => (Data, ComputeId, Line, Relay) = (data, computeId, line, relay);

    /// <summary>Its data directory.</summary>
    public string Data { get; }

    /// <summary>Its id.</summary>
    public string ComputeId { get; }

    /// <summary>Its line to a front door.</summary>
    public BreakableLine Line { get; }

    /// <summary>The relay.</summary>
    public RelayProcess Relay { get; }

    /// <summary>Starts a relay and does not wait.</summary>
    /// <param name="frontDoor">Where it dials in.</param>
    /// <param name="token">A token of an account there.</param>
    /// <param name="computeId">Whose identity it has; that of nobody else when it is not given.</param>
    public static async Task<LentMachine> LaunchAsync(Uri frontDoor, string token, string? computeId = null)
    {
        var data = Directory.CreateTempSubdirectory("cerver-machine-").FullName;
        var id = computeId ?? $"comp_{Guid.NewGuid():n}";
        await File.WriteAllTextAsync(Path.Combine(data, "compute_id"), id);
        var line = BreakableLine.Begin(frontDoor);
        return new LentMachine(data, id, line, RelayProcess.Launch(line.Address, token, data));
    }

    /// <summary>Whether a program runs there that has a word in its arguments.</summary>
    public static bool Runs(string word) => HostProcesses.All().Any(process => process.CommandLine.Contains(word, StringComparison.Ordinal));

    /// <summary>Whether that very program runs, and not only one that will start it.</summary>
    /// <param name="seconds">How long it sleeps, see <see cref="NewSleep"/>.</param>
    public static bool Sleeps(string seconds) => HostProcesses.All().Any(process => process.CommandLine.TrimEnd().Equals($"sleep {seconds}", StringComparison.Ordinal));

    /// <summary>A word that stands in the arguments of no other program: so many seconds to sleep.</summary>
    public static string NewSleep() => $"86400.{Random.Shared.NextInt64(1_000_000_000_000, 9_000_000_000_000)}";

    /// <summary>What is there of sessions: files of sandboxes, marks of those that are up, what runs printed, and processes.</summary>
    public IReadOnlyList<string> Left() =>
    [
        .. Directory.GetFileSystemEntries(Path.Combine(Data, "sandboxes")),
        .. Directory.GetFileSystemEntries(Path.Combine(Data, "open")),
        .. Directory.GetFileSystemEntries(Path.Combine(Data, "runs")),
        .. Processes(),
    ];

    /// <summary>The processes of its sandboxes.</summary>
    public IEnumerable<string> Processes() => HostProcesses.Tree(Relay.Id).Skip(1).Select(static process => process.CommandLine);

    public async ValueTask DisposeAsync()
    {
        await Relay.DisposeAsync();
        await Line.DisposeAsync();
        Directory.Delete(Data, recursive: true);
    }
}
