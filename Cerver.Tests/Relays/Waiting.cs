using System.Diagnostics;

namespace Cerver.Tests.Relays;

/// <summary>Waits for what becomes so by itself.</summary>
internal static class Waiting
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(1);

    /// <summary>Looks until something is so.</summary>
    /// <param name="isSo">Whether it is.</param>
    /// <param name="otherwise">What to say when it is not after a minute.</param>
    public static Task UntilAsync(Func<bool> isSo, Func<string>? otherwise = null) => UntilAsync(() => Task.FromResult(isSo()), otherwise);

    /// <inheritdoc cref="UntilAsync(Func{bool}, Func{string})"/>
    public static async Task UntilAsync(Func<Task<bool>> isSo, Func<string>? otherwise = null)
    {
        var began = Stopwatch.GetTimestamp();
        using var poll = new PeriodicTimer(TimeSpan.FromMilliseconds(50));
        while (!await isSo())
        {
            Assert.True(Stopwatch.GetElapsedTime(began) < Limit, $"It did not become so within a minute. {otherwise?.Invoke()}");
            await poll.WaitForNextTickAsync();
        }
    }
}
