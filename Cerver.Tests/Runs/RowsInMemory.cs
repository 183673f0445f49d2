using System.Collections.Immutable;
using Cerver.Errors;
using Cerver.Grains.Runs;
using Cerver.Runs;

namespace Cerver.Tests.Runs;

/// <summary>Takes what a run prints, or refuses it.</summary>
internal sealed class RowsInMemory : IRunStore
{
    public List<RunChunk> Chunks { get; } = [];

    public CerverException? Failure { get; set; }

    public Action? Appending { get; set; }

    public async Task AppendedAsync(int count)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        using var poll = new PeriodicTimer(TimeSpan.FromMilliseconds(5));
        while (Chunks.Count < count)
        {
            await poll.WaitForNextTickAsync(limit.Token);
        }
    }

    public Task AppendOutputAsync(string sessionId, string runId, ImmutableArray<RunChunk> chunks, CancellationToken cancellationToken)
    {
        if (Failure is not null)
        {
            return Task.FromException(Failure);
        }

        Appending?.Invoke();
        Chunks.AddRange(chunks);
        return Task.CompletedTask;
    }

    public Task<RunRecord?> FindAsync(string accountId, string sessionId, string runId, CancellationToken cancellationToken) => throw new NotSupportedException();

    public Task<ImmutableArray<RunRecord>> ListAsync(string accountId, string sessionId, string? before, int limit, CancellationToken cancellationToken) => throw new NotSupportedException();

    public Task<ImmutableArray<RunRecord>> ListGoingAsync(string accountId, string sessionId, CancellationToken cancellationToken) => throw new NotSupportedException();

    public Task<ImmutableArray<RunChunk>> ReadOutputAsync(string accountId, string runId, long after, CancellationToken cancellationToken) =>
        Task.FromResult<ImmutableArray<RunChunk>>([.. Chunks.Where(chunk => chunk.Sequence > after)]);
}
