using System.Text;
using Cerver.Runs;

namespace Cerver.Grains.Computes.Relays;

/// <summary>One program under a relay that answers when it is over.</summary>
/// <param name="time">Measures patience.</param>
internal sealed class AgentRun(TimeProvider time) : ISandboxProcess
{
    private const int MaxOutputBytes = 64 * 1024;

    /// <summary>Such a relay cannot be told to stop a program. It ends it at its time-out, and the answer takes a moment.</summary>
    private static readonly TimeSpan StopPatience = TimeSpan.FromSeconds(5);

    private readonly TaskCompletionSource<AgentResult?> _over = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <inheritdoc/>
    public IAsyncEnumerable<SandboxOutput> Output => ReadAsync();

    /// <inheritdoc/>
    public Task<int?> Exit => ExitAsync();

    /// <summary>Waits for the answer no longer than that.</summary>
    public void Stop(TimeSpan grace) => _ = EndAfterAsync(grace < StopPatience ? StopPatience : grace);

    /// <summary>It is over.</summary>
    /// <param name="result">What came of it, or null when nobody knows.</param>
    public void End(AgentResult? result) => _over.TrySetResult(result);

    private async Task<int?> ExitAsync() => (await _over.Task)?.ExitCode;

    private async Task EndAfterAsync(TimeSpan patience)
    {
        await Task.WhenAny(_over.Task, Task.Delay(patience, time));
        End(result: null);
    }

    private async IAsyncEnumerable<SandboxOutput> ReadAsync()
    {
        if (await _over.Task is { } result)
        {
            foreach (var (kind, text) in new[] { (OutputKind.Stdout, result.Stdout), (OutputKind.Stderr, result.Stderr) })
            {
                var bytes = Encoding.UTF8.GetBytes(text ?? "");
                for (var from = 0; from < bytes.Length; from += MaxOutputBytes)
                {
                    yield return new SandboxOutput(kind, bytes.AsMemory(from, Math.Min(MaxOutputBytes, bytes.Length - from)));
                }
            }
        }
    }
}
