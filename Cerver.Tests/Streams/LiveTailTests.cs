using System.Runtime.CompilerServices;
using Cerver.Api.Streams;
using CsCheck;

namespace Cerver.Tests.Streams;

public sealed class LiveTailTests
{
    private static readonly TimeSpan Hang = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task A_hole_is_filled_from_the_rows_as_soon_as_something_comes_after_it()
    {
        var source = new Source(rows: 5);
        await using var reader = source.Read(after: 0);
        var next = reader.NextAsync();
        var tail = await source.Followed.WaitAsync(Hang);
        tail.Begin(0);

        await tail.AddAsync([4, 5]);

        Assert.Equal(1, await next);
        source.End();
        Assert.Equal([2, 3, 4, 5], await reader.RestAsync());
        Assert.Equal(1, source.Readings);
    }

    [Fact]
    public async Task What_comes_again_or_too_late_is_passed_over()
    {
        var source = new Source(rows: 4);
        await using var reader = source.Read(after: 0);
        var next = reader.NextAsync();
        var tail = await source.Followed.WaitAsync(Hang);
        tail.Begin(0);

        await tail.AddAsync([1, 2]);
        await tail.AddAsync([1, 2]);
        await tail.AddAsync([2, 3]);
        await tail.AddAsync([1]);
        source.End();

        Assert.Equal(1, await next);
        Assert.Equal([2, 3], await reader.RestAsync());
        Assert.Equal((3, 0), (tail.Head, source.Readings));
    }

    [Fact]
    public async Task A_reader_that_falls_out_of_memory_reads_the_rows_for_itself()
    {
        var source = new Source(rows: 40) { ItemBytes = 100 * 1024 };
        await using var slow = source.Read(after: 0);
        var first = slow.NextAsync();
        var tail = await source.Followed.WaitAsync(Hang);
        tail.Begin(0);
        await tail.AddAsync([1]);
        Assert.Equal(1, await first);

        await tail.AddAsync([.. Enumerable.Range(2, 39)]);
        source.End();

        Assert.Equal(Enumerable.Range(2, 39), await slow.RestAsync());
        Assert.Equal(1, source.Readings);
    }

    [Fact]
    public async Task Rows_that_are_gone_are_passed_over_and_what_follows_comes()
    {
        var source = new Source(rows: 9);
        source.Gone.UnionWith([2, 3, 8, 9]);
        await using var reader = source.Read(after: 0);
        var next = reader.NextAsync();
        var tail = await source.Followed.WaitAsync(Hang);
        tail.Begin(0);

        await tail.FillAsync(5);
        await tail.AddAsync([6, 7]);
        await tail.FillAsync(9);
        source.End();

        Assert.Equal(1, await next);
        Assert.Equal([4, 5, 6, 7], await reader.RestAsync());
        Assert.Equal(9, tail.Head);
    }

    [Fact]
    public async Task A_failure_reaches_every_reader()
    {
        var source = new Source(rows: 3);
        await using var one = source.Read(after: 0);
        await using var two = source.Read(after: 2);
        var waiting = (One: one.NextAsync(), Two: two.NextAsync());
        await source.Followed.WaitAsync(Hang);

        source.Fail(new TimeoutException("Too slow."));

        await Assert.ThrowsAsync<TimeoutException>(() => waiting.One.WaitAsync(Hang));
        await Assert.ThrowsAsync<TimeoutException>(() => waiting.Two.WaitAsync(Hang));
    }

    [Fact]
    public async Task A_failure_to_clean_up_after_the_end_is_nothing_to_those_who_read()
    {
        var source = new Source(rows: 3);
        await using var reader = source.Read(after: 0);
        var next = reader.NextAsync();
        var tail = await source.Followed.WaitAsync(Hang);
        tail.Begin(0);
        await tail.AddAsync([1, 2, 3]);
        Assert.Equal(1, await next);

        tail.End();
        source.Fail(new TimeoutException("The subscription was left behind."));
        await source.Left.WaitAsync(Hang);

        Assert.Equal([2, 3], await reader.RestAsync());
    }

    [Fact]
    public async Task The_source_is_followed_once_from_the_first_reader_to_the_last()
    {
        var source = new Source(rows: 3);
        var one = source.Read(after: 0);
        var two = source.Read(after: 0);
        var waiting = (One: one.NextAsync(), Two: two.NextAsync());
        var tail = await source.Followed.WaitAsync(Hang);
        tail.Begin(0);
        await tail.AddAsync([1]);
        Assert.Equal((1, 1), (await waiting.One, await waiting.Two));

        await one.DisposeAsync();
        Assert.False(source.Left.IsCompleted);
        await two.DisposeAsync();
        await source.Left.WaitAsync(Hang);

        Assert.Equal(1, source.Followings);
    }

    [Fact]
    public async Task News_after_the_last_reader_has_left_is_nobodys_business()
    {
        var source = new Source(rows: 3);
        var reader = source.Read(after: 0);
        var next = reader.NextAsync();
        var tail = await source.Followed.WaitAsync(Hang);
        tail.Begin(3);
        Assert.Equal(1, await next);
        await reader.DisposeAsync();

        await tail.AddAsync([9]);

        Assert.Equal(3, tail.Head);
    }

    [Fact]
    public void A_ring_has_the_newest_items_that_fit() => Gen.Int[1, 60].Array[0, 200].Sample(static sizes =>
    {
        const int MaxBytes = 200;
        var ring = new TailRing<int>(MaxBytes);
        for (var index = 0; index < sizes.Length; index++)
        {
            ring.Add(index, position: index * 2, sizes[index]);
        }

        var first = sizes.Length;
        for (var bytes = 0; first > 0 && (bytes += sizes[first - 1]) <= MaxBytes; first--)
        {
        }

        var expected = Enumerable.Range(first, sizes.Length - first).ToList();
        var all = new List<int>();
        ring.CopyAfter(-1, all, int.MaxValue);
        var some = new List<int>();
        ring.CopyAfter((first * 2) + 1, some, bytes: 1);
        Assert.Equal(expected, all);
        Assert.Equal(expected.Skip(1).Take(1), some);
        Assert.Equal(sizes.Length == 0 ? null : first * 2L, ring.First);
    });

    /// <summary>Numbers at the positions that they name.</summary>
    private sealed class Source(int rows) : ITailSource<int>
    {
        private readonly LiveTails<int> _tails = new();
        private readonly TaskCompletionSource<LiveTail<int>> _followed = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly TaskCompletionSource _end = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly TaskCompletionSource _left = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public int ItemBytes { get; init; } = 1;

        public HashSet<int> Gone { get; } = [];

        public Task<LiveTail<int>> Followed => _followed.Task;

        public Task Left => _left.Task;

        public int Followings { get; private set; }

        public int Readings { get; private set; }

        public Reader Read(long after) => new(_tails.ReadAsync("numbers", () => this, after, CancellationToken.None).GetAsyncEnumerator());

        public void End() => _end.SetResult();

        public void Fail(Exception failure) => _end.SetException(failure);

        public long PositionOf(int item) => item;

        public int SizeOf(int item) => ItemBytes;

        public async IAsyncEnumerable<int> ReadRowsAsync(long after, long upTo, [EnumeratorCancellation] CancellationToken cancellationToken)
        {
            Readings++;
            await Task.Yield();
            for (var position = (int)after + 1; position <= Math.Min(upTo, rows); position++)
            {
                if (!Gone.Contains(position))
                {
                    yield return position;
                }
            }
        }

        public async Task FollowAsync(LiveTail<int> tail, CancellationToken cancellationToken)
        {
            Followings++;
            _followed.SetResult(tail);
            try
            {
                await _end.Task.WaitAsync(cancellationToken);
            }
            finally
            {
                _left.SetResult();
            }
        }
    }

    private sealed class Reader(IAsyncEnumerator<int> items) : IAsyncDisposable
    {
        public async Task<int> NextAsync()
        {
            Assert.True(await items.MoveNextAsync());
            return items.Current;
        }

        public async Task<List<int>> RestAsync()
        {
            var rest = new List<int>();
            while (await items.MoveNextAsync())
            {
                rest.Add(items.Current);
            }

            return rest;
        }

        public ValueTask DisposeAsync() => items.DisposeAsync();
    }
}
