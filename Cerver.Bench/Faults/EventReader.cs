using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;
using Cerver.Bench.Histories;

namespace Cerver.Bench.Faults;

/// <summary>Reads the events of a response, once.</summary>
/// <param name="response">The response. The caller disposes of it.</param>
/// <param name="history">Whose time is meant.</param>
/// <param name="silenceLimit">After so long without a line, be it only a sign of life, the stream counts as broken.</param>
/// <param name="time">Measures the silence.</param>
internal sealed class EventReader(HttpResponseMessage response, HistoryRecorder history, TimeSpan silenceLimit, TimeProvider time)
{
    /// <summary>When the last line came.</summary>
    public TimeSpan Heard { get; private set; } = history.Now;

    /// <summary>The events, each when all of it has come.</summary>
    /// <exception cref="BenchException">It is no stream of events.</exception>
    /// <exception cref="IOException">It broke, or nothing came for too long.</exception>
    public async IAsyncEnumerable<StreamEvent> ReadAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync(cancellationToken), Encoding.UTF8);
        string id = string.Empty, kind = string.Empty, data = string.Empty;
        while (await ReadLineAsync(reader, cancellationToken) is { } line)
        {
            switch (line)
            {
                case "" when data.Length > 0:
                    yield return new(PositionOf(id, kind), kind, data);
                    id = kind = data = string.Empty;
                    break;
                case ['i', 'd', ':', ' ', ..]: id = line[4..]; break;
                case ['e', 'v', 'e', 'n', 't', ':', ' ', ..]: kind = line[7..]; break;
                case ['d', 'a', 't', 'a', ':', ' ', ..]: data = line[6..]; break;
                case "" or [':', ..]: break;
                default: throw new BenchException($"A stream of events has the line '{line}'.");
            }
        }
    }

    /// <summary>An error before the first event of a stream has no id, so that whoever comes back misses nothing.</summary>
    private static long PositionOf(string id, string kind) =>
        long.TryParse(id, NumberStyles.None, CultureInfo.InvariantCulture, out var position) ? position
        : id.Length == 0 && kind == "error" ? -1
        : throw new BenchException($"An event has the id '{id}'.");

    private async Task<string?> ReadLineAsync(StreamReader reader, CancellationToken cancellationToken)
    {
        using var over = new CancellationTokenSource(silenceLimit, time);
        using var silence = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, over.Token);
        try
        {
            var line = await reader.ReadLineAsync(silence.Token);
            Heard = history.Now;
            return line;
        }
        catch (OperationCanceledException silent) when (!cancellationToken.IsCancellationRequested)
        {
            throw new IOException($"nothing came for {silenceLimit.TotalSeconds:0} s, not even a ping", silent);
        }
    }
}
