using System.Diagnostics;

namespace Cerver.Bench.Gateways;

/// <summary>
/// Ends what the bench started when the bench itself is gone without having done so: killed, crashed, or given up by a test run that took
/// too long. It is a shell that hears of every process and waits for the end of its input.
/// </summary>
internal static class ProcessKeeper
{
    /// <summary>
    /// An id counts as long as its process was not reported gone, so that a later process with the same id has nothing to fear.
    /// </summary>
    private const string Script = """
        trap '' INT TERM HUP
        declare -A kept cleared
        while read -r word what; do
            case $word in
                keep) kept[$what]=1 ;;
                forget) unset "kept[$what]" ;;
                clear) cleared[$what]=1 ;;
            esac
        done
        for process in "${!kept[@]}"; do kill -KILL "$process" 2>/dev/null; done
        for directory in "${!cleared[@]}"; do
            for attempt in {1..50}; do
                rm -rf -- "$directory" 2>/dev/null && break
                sleep 0.1
            done
        done
        """;

    private static readonly Lock Gate = new();
    private static readonly Lazy<Process> Shell = new(Start);

    /// <summary>Ends a process with the bench.</summary>
    public static void Keep(int process) => Say($"keep {process}");

    /// <summary>A process is gone.</summary>
    public static void Forget(int process) => Say($"forget {process}");

    /// <summary>
    /// Removes a directory after the bench and what it started are gone, if it is still there: a process that ends has no time for it.
    /// </summary>
    /// <param name="directory">Nobody else's, with a name that nobody will use again.</param>
    public static void Clear(string directory) => Say($"clear {directory}");

    private static void Say(string line)
    {
        lock (Gate)
        {
            Shell.Value.StandardInput.WriteLine(line);
            Shell.Value.StandardInput.Flush();
        }
    }

    private static Process Start() => Process.Start(
        new ProcessStartInfo("bash", ["-c", Script]) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true, UseShellExecute = false })!;
}
