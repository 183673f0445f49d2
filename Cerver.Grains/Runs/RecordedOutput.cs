using Cerver.Errors;
using Cerver.Runs;

namespace Cerver.Grains.Runs;

/// <summary>
/// What is on disk of a run that another process began to record. All that the run printed comes again, is treated as it was then, and has this taken off its beginning: the rows go on
/// where they ended, to the byte.
/// </summary>
internal sealed class RecordedOutput(IRunStore store, string accountId, string runId)
{
    private ImmutableArray<RunChunk> _page = [];
    private int _chunk;
    private int _offset;
    private bool _isAtEnd;

    /// <summary>The sequence number of the last chunk that there is, or is about to be.</summary>
    public long Head { get; private set; }

    /// <summary>Takes off what is on disk; the rest has the sequence numbers that come next.</summary>
    /// <exception cref="InvalidDataException">It is not what is on disk.</exception>
    /// <exception cref="CerverException">What is on disk cannot be read.</exception>
    public async Task<ImmutableArray<RunChunk>> TakeOffAsync(ImmutableArray<RunChunk> chunks)
    {
        var left = ImmutableArray.CreateBuilder<RunChunk>();
        foreach (var chunk in chunks)
        {
            var data = chunk.Data.AsMemory();
            while (data.Length > 0 && await NextAsync() is { } stored)
            {
                var same = Math.Min(data.Length, stored.Data.Length - _offset);
                if (stored.Kind != chunk.Kind || !data.Span[..same].SequenceEqual(stored.Data.AsSpan(_offset, same)))
                {
                    throw new InvalidDataException($"Run {runId} printed something else than what was recorded of it before.");
                }

                _offset += same;
                data = data[same..];
            }

            if (data.Length > 0)
            {
                left.Add(new RunChunk(++Head, chunk.Kind, data.ToArray()));
            }
        }

        return left.ToImmutable();
    }

    private async Task<RunChunk?> NextAsync()
    {
        while (!_isAtEnd)
        {
            if (_chunk < _page.Length && _offset < _page[_chunk].Data.Length)
            {
                return _page[_chunk];
            }

            _offset = 0;
            if (++_chunk >= _page.Length)
            {
                _page = await store.ReadOutputAsync(accountId, runId, Head, CancellationToken.None);
                _chunk = 0;
                _isAtEnd = _page.IsEmpty;
                Head = _isAtEnd ? Head : _page[^1].Sequence;
            }
        }

        return null;
    }
}
