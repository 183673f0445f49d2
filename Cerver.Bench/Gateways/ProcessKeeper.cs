using System.Diagnostics;

namespace Cerver.Bench.Gateways;

/// <summary>
/// Ends what the bench started when the bench itself is gone without having done so: killed, crashed, or given up by a test run that took too long. It is
/// a shell that hears of every process and waits for the end of its input.
/// </summary>
internal static class ProcessKeeper
{
    /// <summary>An id counts as long as its process was not reported gone, so that a later process with the same id has nothing to fear.</summary>
    private const string Script = """
        trap '' INT TERM HUP
        declare -A kept
        while read -r word process; do
            if [[ $word == keep ]]; then kept[$process]=1; else unset "kept[$process]"; fi
        done
        for process in "${!kept[@]}"; do kill -KILL "$process" 2>/dev/null; done
        """;

    private static readonly Lock Gate = new();
    private static readonly Lazy<Process> Shell = new(Start);

    /// <summary>Ends a process with the bench.</summary>
    public static void Keep(int process) => Say("keep", process);

    /// <summary>A process is gone.</summary>
    public static void Forget(int process) => Say("forget", process);

    private static void Say(string word, int process)
    {
        lock (Gate)
        {
            Shell.Value.StandardInput.WriteLine($"{word} {process}");
            Shell.Value.StandardInput.Flush();
        }
    }

    private static Process Start() => Process.Start(
        new ProcessStartInfo("bash", ["-c", Script]) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true, UseShellExecute = false })!;
}
