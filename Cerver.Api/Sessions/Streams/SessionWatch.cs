using System.Runtime.CompilerServices;
using Cerver.Api.Streams;
using Cerver.Sessions;

namespace Cerver.Api.Sessions.Streams;

/// <summary>How a session is followed that has not ended.</summary>
/// <remarks>
/// The session says when there is something new and the rows say what. Its word makes it fast and is not relied on: the rows are looked at
/// again after a second of silence. A place in a tail counts from 1 on and an event's position from 0 on.
/// </remarks>
internal sealed class SessionWatch(ISessionSource source) : ITailSource<SessionEvent>
{
    private const int EventOverheadBytes = 256;
    private const int RunOverheadBytes = 512;

    /// <summary>How long silence is believed. Shorter than any client of a cluster waits for an answer.</summary>
    private static readonly TimeSpan Silence = TimeSpan.FromSeconds(1);

    public long PositionOf(SessionEvent item) => item.Position + 1;

    public int SizeOf(SessionEvent item) => EventOverheadBytes + item switch
    {
        EntryAdded added => ((added.Entry.Content?.Length ?? 0) + (added.Entry.ToolInput?.Length ?? 0)) * sizeof(char),
        RunPrinted printed => printed.Chunk.Data.Length,
        RunEnded => RunOverheadBytes,
        _ => 0,
    };

    public async IAsyncEnumerable<SessionEvent> ReadRowsAsync(long after, long upTo, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        while (after < upTo)
        {
            var page = await source.ReadAsync(from: after, cancellationToken);
            foreach (var happened in page.Events)
            {
                if (PositionOf(happened) <= upTo)
                {
                    yield return happened;
                }
            }

            // What is on disk and not there was erased.
            after = page.Events.IsEmpty ? upTo : PositionOf(page.Events[^1]);
        }
    }

    public async Task FollowAsync(LiveTail<SessionEvent> tail, CancellationToken cancellationToken)
    {
        var known = await source.WaitAsync(known: 0, TimeSpan.Zero, cancellationToken);
        tail.Begin((await source.ReadAsync(from: long.MaxValue, cancellationToken)).Head);
        while (!await CatchUpAsync(tail, cancellationToken))
        {
            known = await source.WaitAsync(known, Silence, cancellationToken);
        }

        tail.End();
    }

    /// <summary>Brings the tail as far as the rows are.</summary>
    /// <returns>Whether the session has ended: its last event says so, and nothing comes after it.</returns>
    private async Task<bool> CatchUpAsync(LiveTail<SessionEvent> tail, CancellationToken cancellationToken)
    {
        while (true)
        {
            var last = await source.ReadAsync(from: Math.Max(tail.Head - 1, 0), cancellationToken);
            if (last.Head <= tail.Head)
            {
                return last.Events is [.., StatusChanged { Status: SessionStatus.Ended }];
            }

            await tail.FillAsync(last.Head);
        }
    }
}

/// <summary>A session as it can be followed.</summary>
internal interface ISessionSource
{
    /// <summary>What happened from a position on.</summary>
    Task<SessionEventPage> ReadAsync(long from, CancellationToken cancellationToken);

    /// <summary>Waits for something new, see <see cref="ISessionGrain.WaitAsync"/>.</summary>
    Task<long> WaitAsync(long known, TimeSpan atMost, CancellationToken cancellationToken);
}
