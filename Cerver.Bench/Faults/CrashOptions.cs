using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace Cerver.Bench.Faults;

/// <summary>What a campaign of kills is to be.</summary>
/// <param name="Cycles">How often the gateway is killed, 1 .. 1,000,000.</param>
/// <param name="Seed">What all randomness of the clients comes from. The gateway and the machine add their own.</param>
/// <param name="HistoryPath">Where to write the last history, or null.</param>
internal sealed record CrashOptions(int Cycles, int Seed, string? HistoryPath)
{
    /// <summary>The word on the command line.</summary>
    public const string Command = "crash";

    private const int DefaultCycles = 50;
    private const int MaxCycles = 1_000_000;

    /// <summary>Reads what follows the word; <paramref name="complaint"/> says what is wrong with it and what is right.</summary>
    public static bool TryParse(
        IEnumerable<string> arguments, [NotNullWhen(true)] out CrashOptions? options, [NotNullWhen(false)] out string? complaint)
    {
        options = null;
        complaint = null;
        var parsed = new CrashOptions(DefaultCycles, Random.Shared.Next(), HistoryPath: null);
        var rest = new Queue<string>(arguments);
        while (rest.TryDequeue(out var name))
        {
            _ = rest.TryDequeue(out var value);
            var isNumber = int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var number);
            switch (name)
            {
                case "--cycles" when isNumber && number is >= 1 and <= MaxCycles: parsed = parsed with { Cycles = number }; break;
                case "--seed" when isNumber: parsed = parsed with { Seed = number }; break;
                case "--history" when value is { Length: > 0 }: parsed = parsed with { HistoryPath = value }; break;
                default:
                    complaint = $"""
                        '{name} {value}' is not understood.

                        dotnet run -c Release --project Cerver.Bench -- {Command} [--cycles N] [--seed S] [--history FILE]

                          --cycles   how often the gateway is killed, {DefaultCycles} when left out
                          --seed     where the clients' randomness comes from; printed when left out
                          --history  write what clients did and saw in the last {CrashCampaign.CyclesPerRound} cycles to this file
                        """;
                    return false;
            }
        }

        options = parsed;
        return true;
    }
}
