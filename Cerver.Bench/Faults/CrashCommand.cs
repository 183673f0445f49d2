using System.Text.Json;
using Cerver.Bench.Gateways;
using Cerver.Bench.Histories;

namespace Cerver.Bench.Faults;

/// <summary>The words on the command line that do not measure but look for broken promises.</summary>
internal static class CrashCommand
{
    /// <summary>The word that checks a history in a file.</summary>
    public const string Check = "check";

    /// <summary>Does harm to a gateway as the arguments say and tells what was broken.</summary>
    /// <param name="arguments">What follows the word.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <returns>The exit code: 0 when nothing was broken.</returns>
    /// <exception cref="BenchException">It could not be carried out.</exception>
    public static async Task<int> CrashAsync(IEnumerable<string> arguments, CancellationToken cancellationToken)
    {
        if (!CrashOptions.TryParse(arguments, out var options, out var complaint))
        {
            await Console.Error.WriteLineAsync(complaint);
            return 2;
        }

        if (options.LogPath is { } logs)
        {
            Directory.CreateDirectory(logs);
        }

        var repository = Repository.Find();
        var result = await CrashCampaign.RunAsync(options, repository.GatewayPath, repository, Console.Out.WriteLine, cancellationToken);
        if (options.HistoryPath is { } path)
        {
            await using var file = File.Create(path);
            await JsonSerializer.SerializeAsync(file, result.History, cancellationToken: cancellationToken);
        }

        return Tell(result.Violations);
    }

    /// <summary>Checks a history that was written to a file.</summary>
    /// <param name="arguments">What follows the word: the file.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <returns>The exit code: 0 when nothing was broken.</returns>
    public static async Task<int> CheckAsync(string[] arguments, CancellationToken cancellationToken)
    {
        if (arguments is not [var path] || !File.Exists(path))
        {
            await Console.Error.WriteLineAsync($"dotnet run -c Release --project Cerver.Bench -- {Check} FILE");
            return 2;
        }

        await using var file = File.OpenRead(path);
        var history = await JsonSerializer.DeserializeAsync<History>(file, cancellationToken: cancellationToken);
        return Tell(HistoryChecker.Check(history ?? new()).Select(violation => violation.ToString()));
    }

    private static int Tell(IEnumerable<string> violations)
    {
        var told = 0;
        foreach (var violation in violations)
        {
            Console.Out.WriteLine(violation);
            told++;
        }

        Console.Out.WriteLine(told == 0 ? "Every promise was kept." : $"{told} violations.");
        return told == 0 ? 0 : 1;
    }
}
