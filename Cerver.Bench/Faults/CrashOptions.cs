using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using Cerver.Bench.Gateways;
using Cerver.Bench.Histories;

namespace Cerver.Bench.Faults;

/// <summary>What a campaign of faults is to be.</summary>
/// <param name="Cycles">How often something is done to the gateway, 1 .. 1,000,000.</param>
/// <param name="Seed">What all randomness of the clients and of the faults comes from. The gateway and the machine add their own.</param>
/// <param name="HistoryPath">Where to write the last history, or null.</param>
/// <param name="Cluster">How large a cluster is to be, or null for a gateway of one process.</param>
/// <param name="LogPath">The directory that gets all that the processes of a cluster print, or null.</param>
internal sealed record CrashOptions(int Cycles, int Seed, string? HistoryPath, ClusterSize? Cluster = null, string? LogPath = null)
{
    /// <summary>The word on the command line.</summary>
    public const string Command = "crash";

    private const int DefaultCycles = 50;
    private const int MaxCycles = 1_000_000;
    private const int MaxProcesses = 9;
    private const int MaxPatience = 10;

    private static readonly ClusterSize DefaultSize = new(Silos: 3, FrontDoors: 2);

    /// <summary>
    /// How many times the limits of time are allowed, 1 .. 10: they are those of a machine that has nothing else to do. What is not a matter of time is checked
    /// all the same.
    /// </summary>
    public int Patience { get; init; } = 1;

    /// <summary>What is done to a cluster: each once in a round, in an order that the seed gives.</summary>
    public ImmutableArray<FaultKind> Kinds { get; init; } = ClusterFaults.Kinds;

    /// <summary>Reads what follows the word; <paramref name="complaint"/> says what is wrong with it and what is right.</summary>
    public static bool TryParse(
        IEnumerable<string> arguments, [NotNullWhen(true)] out CrashOptions? options, [NotNullWhen(false)] out string? complaint)
    {
        options = null;
        complaint = null;
        var parsed = new CrashOptions(DefaultCycles, Random.Shared.Next(), HistoryPath: null);
        var size = DefaultSize;
        var isCluster = false;
        var rest = new Queue<string>(arguments);
        while (rest.TryDequeue(out var name))
        {
            if (name == "--cluster")
            {
                isCluster = true;
                continue;
            }

            _ = rest.TryDequeue(out var value);
            var isNumber = int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var number);
            switch (name)
            {
                case "--cycles" when isNumber && number is >= 1 and <= MaxCycles: parsed = parsed with { Cycles = number }; break;
                case "--seed" when isNumber: parsed = parsed with { Seed = number }; break;
                case "--history" when value is { Length: > 0 }: parsed = parsed with { HistoryPath = value }; break;
                case "--patience" when isNumber && number is >= 1 and <= MaxPatience: parsed = parsed with { Patience = number }; break;
                case "--silos" when isNumber && number is >= 2 and <= MaxProcesses: size = size with { Silos = number }; break;
                case "--front-doors" when isNumber && number is >= 1 and <= MaxProcesses: size = size with { FrontDoors = number }; break;
                case "--logs" when value is { Length: > 0 }: parsed = parsed with { LogPath = value }; break;
                default:
                    complaint = $"""
                        '{name} {value}' is not understood.

                        dotnet run -c Release --project Cerver.Bench -- {Command} [--cycles N] [--seed S] [--patience N] [--history FILE]
                        dotnet run -c Release --project Cerver.Bench -- {Command} --cluster [--silos N] [--front-doors N] [--logs DIRECTORY] …

                          --cycles       how often something is done to the gateway, {DefaultCycles} when left out
                          --seed         where the randomness of clients and faults comes from; printed when left out
                          --patience     how many times the limits of time are allowed, 1 .. {MaxPatience}, 1 when left out: for a machine that is busy
                          --history      write what clients did and saw in the last round to this file
                          --cluster      a cluster over PostgreSQL instead of one process that is killed
                          --silos        how many silos it has, 2 .. {MaxProcesses}, {DefaultSize.Silos} when left out
                          --front-doors  how many front doors, 1 .. {MaxProcesses}, {DefaultSize.FrontDoors} when left out
                          --logs         write what each process of the cluster prints to a file in this directory
                        """;
                    return false;
            }
        }

        options = isCluster ? parsed with { Cluster = size } : parsed;
        return true;
    }
}
