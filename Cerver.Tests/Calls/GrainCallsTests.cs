using System.Runtime.CompilerServices;
using Cerver.Api.Calls;
using Cerver.Errors;
using Cerver.Operations;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Orleans.Networking.Shared;
using Orleans.Runtime;
using Orleans.Runtime.Messaging;

namespace Cerver.Tests.Calls;

/// <summary>Which calls of grains are made again, by what name, and for how long.</summary>
public sealed class GrainCallsTests
{
    private static readonly Operation Named = new("a caller's", [1, 2, 3]);

    private readonly FakeTimeProvider _time = new(DateTimeOffset.UnixEpoch.AddYears(50));

    public enum Kind
    {
        Read,
        NamedByCaller,
        NamedByTheApi,
        WithoutName,
    }

    /// <summary>Every failure there is, and which calls are made again after it.</summary>
    public static TheoryData<string, Kind[]> Failures { get; } = new()
    {
        { nameof(OrleansMessageRejectionException), [Kind.Read, Kind.NamedByCaller, Kind.NamedByTheApi, Kind.WithoutName] },
        { nameof(ConnectionFailedException), [Kind.Read, Kind.NamedByCaller, Kind.NamedByTheApi, Kind.WithoutName] },
        { nameof(SocketConnectionException), [Kind.Read, Kind.NamedByCaller, Kind.NamedByTheApi, Kind.WithoutName] },
        { nameof(GatewayTooBusyException), [Kind.Read, Kind.NamedByCaller, Kind.NamedByTheApi, Kind.WithoutName] },
        { nameof(CerverError.Fenced), [Kind.Read, Kind.NamedByCaller, Kind.NamedByTheApi, Kind.WithoutName] },
        { nameof(CerverError.HostUnavailable), [Kind.Read, Kind.NamedByCaller, Kind.NamedByTheApi, Kind.WithoutName] },
        { nameof(SiloUnavailableException), [Kind.Read, Kind.NamedByCaller, Kind.NamedByTheApi] },
        { nameof(TimeoutException), [Kind.Read, Kind.NamedByCaller, Kind.NamedByTheApi] },
        { nameof(OperationCanceledException), [Kind.Read, Kind.NamedByCaller, Kind.NamedByTheApi] },
        { nameof(OrleansLifecycleCanceledException), [Kind.Read, Kind.NamedByCaller, Kind.NamedByTheApi] },
        { nameof(EnumerationAbortedException), [Kind.Read, Kind.NamedByCaller, Kind.NamedByTheApi] },
        { nameof(ClientNotAvailableException), [Kind.Read, Kind.NamedByCaller, Kind.NamedByTheApi] },
        { nameof(CerverError.StorageInDoubt), [Kind.Read, Kind.NamedByCaller, Kind.NamedByTheApi] },
        { nameof(CerverError.StorageUnavailable), [] },
        { nameof(CerverError.NotFound), [] },
        { nameof(LimitExceededException), [] },
        { nameof(InvalidOperationException), [] },
    };

    [Theory]
    [MemberData(nameof(Failures))]
    public async Task A_call_is_made_again_when_that_is_safe(string failure, Kind[] repeated)
    {
        foreach (var kind in Enum.GetValues<Kind>())
        {
            var grain = new Grain { Failures = { Failure(failure) } };

            var made = await SettleAsync(MakeAsync(kind, grain));

            var expected = repeated.Contains(kind);
            Assert.True(expected == made.IsCompletedSuccessfully, $"{kind} after {failure}");
            Assert.Equal(expected ? 2 : 1, grain.Attempts.Count);
        }
    }

    [Fact]
    public async Task A_write_says_from_its_second_attempt_on_that_it_is_a_repetition_and_keeps_its_name()
    {
        var grain = new Grain { Failures = { new TimeoutException(), new SiloUnavailableException("x") } };

        await (await SettleAsync(MakeAsync(Kind.NamedByTheApi, grain)));

        var names = grain.Attempts.ConvertAll(static attempt => attempt!);
        Assert.Equal([false, true, true], names.Select(static name => name.IsRepetition));
        Assert.All(names, name => Assert.Equal((names[0].Key, true), (name.Key, name.IsOwn)));
    }

    [Fact]
    public async Task A_callers_own_name_is_passed_on_as_it_is()
    {
        var grain = new Grain { Failures = { new TimeoutException() } };

        await (await SettleAsync(MakeAsync(Kind.NamedByCaller, grain)));

        Assert.Equal([Named, Named with { IsRepetition = true }], grain.Attempts);
    }

    [Fact]
    public async Task Each_write_without_a_callers_name_gets_a_new_one_in_a_cluster_and_none_in_one_process()
    {
        var (grain, alone) = (new Grain(), new Grain());

        await MakeAsync(Kind.NamedByTheApi, grain);
        await MakeAsync(Kind.NamedByTheApi, grain);
        await MakeAsync(Kind.WithoutName, alone);

        Assert.NotEqual(grain.Attempts[0]!.Key, grain.Attempts[1]!.Key);
        Assert.Null(Assert.Single(alone.Attempts));
    }

    [Theory]
    [InlineData(Kind.NamedByCaller, true)]
    [InlineData(Kind.NamedByTheApi, false)]
    public async Task Only_a_caller_who_named_the_write_hears_that_it_is_told_again(Kind kind, bool isReplayed)
    {
        var outcome = await MakeAsync(kind, new Grain { IsReplayed = true });

        Assert.Equal(isReplayed, outcome.IsReplayed);
    }

    [Theory]
    [InlineData(Kind.Read)]
    [InlineData(Kind.NamedByTheApi)]
    [InlineData(Kind.WithoutName)]
    public async Task Attempts_that_fail_at_once_end_within_30_seconds_with_the_failure(Kind kind)
    {
        var began = _time.GetTimestamp();
        var grain = new Grain { Always = () => new ConnectionFailedException("no gateway") };

        var made = await SettleAsync(MakeAsync(kind, grain));

        await Assert.ThrowsAsync<ConnectionFailedException>(() => made);
        Assert.InRange(_time.GetElapsedTime(began), TimeSpan.FromSeconds(29), GrainCalls.Limit);
        Assert.InRange(grain.Attempts.Count, 70, 160);
    }

    [Theory]
    [InlineData(Kind.Read)]
    [InlineData(Kind.NamedByTheApi)]
    public async Task Attempts_that_are_not_answered_end_within_30_seconds_and_no_longer_than_4_each(Kind kind)
    {
        var began = _time.GetTimestamp();
        var grain = new Grain { Hangs = true };

        var made = await SettleAsync(MakeAsync(kind, grain));

        await Assert.ThrowsAsync<TimeoutException>(() => made);
        Assert.InRange(_time.GetElapsedTime(began), TimeSpan.FromSeconds(29), GrainCalls.Limit + TimeSpan.FromMilliseconds(100));
        Assert.InRange(grain.Attempts.Count, 7, 9);
    }

    [Fact]
    public async Task A_read_that_is_not_waited_for_any_more_ends_and_the_next_attempt_goes_on()
    {
        var grain = new Grain { Hangs = true };
        var made = MakeAsync(Kind.Read, grain);

        _time.Advance(GrainCalls.AttemptLimit);
        while (grain.Tokens.Count < 2)
        {
            _time.Advance(TimeSpan.FromMilliseconds(5));
            await Task.Yield();
        }

        Assert.True(grain.Tokens[0].IsCancellationRequested);
        Assert.False(grain.Tokens[1].IsCancellationRequested);
        grain.Answer.SetResult();
        await made;
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_read_whose_grain_asks_somebody_outside_is_waited_for_longer(bool isTold)
    {
        var grain = new Grain { Hangs = true };
        var calls = new GrainCalls(isCluster: true, _time, NullLogger<GrainCalls>.Instance, CancellationToken.None);

        var made = isTold
            ? calls.TellOutsideAsync(grain, static (grain, token) => grain.CallAsync(operation: null, token), CancellationToken.None)
            : calls.ReadOutsideAsync(grain, static (grain, token) => grain.CallAsync(operation: null, token), CancellationToken.None);
        _time.Advance(GrainCalls.OutsideLimit - TimeSpan.FromMilliseconds(1));

        Assert.False(Assert.Single(grain.Tokens).IsCancellationRequested);
        grain.Answer.SetResult();
        await made;
    }

    [Theory]
    [InlineData(Kind.Read)]
    [InlineData(Kind.NamedByTheApi)]
    public async Task Nothing_is_made_again_by_a_process_that_is_about_to_stop(Kind kind)
    {
        using var waitingEnds = new CancellationTokenSource();
        var grain = new Grain { Always = () => new CerverException(CerverError.HostUnavailable, "Away.") };
        var made = MakeAsync(kind, grain, waitingEnds: waitingEnds.Token);
        _time.Advance(TimeSpan.FromSeconds(1));
        await waitingEnds.CancelAsync();
        var attempts = grain.Attempts.Count;

        made = await SettleAsync(made);

        Assert.Equal(CerverError.HostUnavailable, (await Assert.ThrowsAsync<CerverException>(() => made)).Code);
        Assert.InRange(grain.Attempts.Count, attempts, attempts + 1);
    }

    [Fact]
    public async Task In_one_process_a_call_takes_as_long_as_it_takes()
    {
        var grain = new Grain { Hangs = true };
        var made = MakeAsync(Kind.WithoutName, grain);

        _time.Advance(TimeSpan.FromMinutes(5));
        Assert.False(made.IsCompleted);
        grain.Answer.SetResult();

        await made;
        Assert.Single(grain.Attempts);
    }

    [Fact]
    public async Task A_machine_that_is_away_is_waited_for_half_a_minute()
    {
        var began = _time.GetTimestamp();
        var grain = new Grain { Always = () => new CerverException(CerverError.HostUnavailable, "Away.") };

        var made = await SettleAsync(MakeAsync(Kind.NamedByTheApi, grain));

        Assert.Equal(CerverError.HostUnavailable, (await Assert.ThrowsAsync<CerverException>(() => made)).Code);
        Assert.InRange(_time.GetElapsedTime(began), TimeSpan.FromSeconds(29), GrainCalls.Limit);
    }

    [Fact]
    public async Task Pauses_double_from_50_to_400_milliseconds_and_are_never_shorter_than_half_of_that()
    {
        var grain = new Grain { Always = () => new ConnectionFailedException("no gateway") };
        var times = new List<TimeSpan>();
        var began = _time.GetTimestamp();
        grain.Attempted = () => times.Add(_time.GetElapsedTime(began));

        await SettleAsync(MakeAsync(Kind.Read, grain));

        // The clock goes in steps of 5 ms.
        var pauses = times.Zip(times.Skip(1), static (from, to) => (to - from).TotalMilliseconds).ToList();
        Assert.All(pauses.Select(static (pause, index) => (pause, Longest: Math.Min(50 << Math.Min(index, 10), 400))), static pause =>
            Assert.InRange(pause.pause, (pause.Longest / 2) - 5, pause.Longest + 10));
    }

    [Fact]
    public async Task A_write_that_is_overtaken_again_and_again_is_refused_in_the_end()
    {
        var grain = new Grain { Always = () => new CerverException(CerverError.Fenced, "Overtaken.") };

        var made = await SettleAsync(MakeAsync(Kind.WithoutName, grain));

        Assert.Equal(CerverError.Fenced, (await Assert.ThrowsAsync<CerverException>(() => made)).Code);
        Assert.Equal(9, grain.Attempts.Count);
    }

    [Theory]
    [InlineData(nameof(TimeoutException))]
    [InlineData(nameof(CerverError.StorageInDoubt))]
    public async Task That_the_last_attempt_changed_nothing_is_not_said_of_a_write_whose_first_is_in_doubt(string doubt)
    {
        var first = Failure(doubt);
        var grain = new Grain { Failures = { first, new CerverException(CerverError.StorageUnavailable, "Nothing was changed.") } };

        var made = await SettleAsync(MakeAsync(Kind.NamedByTheApi, grain));

        Assert.Same(first, await Assert.ThrowsAnyAsync<Exception>(() => made));
        Assert.Equal(2, grain.Attempts.Count);
    }

    [Fact]
    public async Task What_a_grain_refuses_after_it_has_looked_a_write_up_is_its_answer()
    {
        var grain = new Grain { Failures = { new TimeoutException(), new CerverException(CerverError.SessionEnded, "Over.") } };

        var made = await SettleAsync(MakeAsync(Kind.NamedByTheApi, grain));

        Assert.Equal(CerverError.SessionEnded, (await Assert.ThrowsAsync<CerverException>(() => made)).Code);
    }

    [Fact]
    public async Task Whoever_hangs_up_ends_the_repeating_of_a_read()
    {
        using var hungUp = new CancellationTokenSource();
        var grain = new Grain { Always = () => new TimeoutException() };
        grain.Attempted = () =>
        {
            if (grain.Attempts.Count == 3)
            {
                hungUp.Cancel();
            }
        };

        var made = await SettleAsync(MakeAsync(Kind.Read, grain, cancellationToken: hungUp.Token));

        await Assert.ThrowsAnyAsync<Exception>(() => made);
        Assert.Equal(3, grain.Attempts.Count);
    }

    [Fact]
    public async Task A_call_that_was_repeated_is_logged_once_whatever_the_number_of_its_attempts()
    {
        var log = new Lines();
        var grain = new Grain { Failures = { new TimeoutException(), new ConnectionFailedException("x"), new ConnectionFailedException("x") } };
        var lost = new Grain { Always = () => new ConnectionFailedException("x") };
        var fine = new Grain();

        foreach (var each in (Grain[])[grain, lost, fine])
        {
            await SettleAsync(MakeAsync(Kind.Read, each, log));
        }

        Assert.Equal([LogLevel.Information, LogLevel.Warning], log.All.Select(static line => line.Level));
        Assert.Contains("attempt 4", log.All[0].Text, StringComparison.Ordinal);
        Assert.Contains(nameof(TimeoutException), log.All[0].Text, StringComparison.Ordinal);
    }

    private static Exception Failure(string name) => name switch
    {
        nameof(OrleansMessageRejectionException) => Bare<OrleansMessageRejectionException>(),
        nameof(ConnectionFailedException) => new ConnectionFailedException("x"),
        nameof(SocketConnectionException) => new SocketConnectionException("x"),
        nameof(GatewayTooBusyException) => new GatewayTooBusyException("x"),
        nameof(SiloUnavailableException) => new SiloUnavailableException("x"),
        nameof(TimeoutException) => new TimeoutException("x"),
        nameof(OperationCanceledException) => new OperationCanceledException("x"),
        nameof(OrleansLifecycleCanceledException) => Bare<OrleansLifecycleCanceledException>(),
        nameof(EnumerationAbortedException) => new EnumerationAbortedException("x"),
        nameof(ClientNotAvailableException) => Bare<ClientNotAvailableException>(),
        nameof(LimitExceededException) => new LimitExceededException("x"),
        nameof(InvalidOperationException) => new InvalidOperationException("x"),
        _ => new CerverException(Enum.Parse<CerverError>(name), "x"),
    };

    /// <summary>One that only Orleans can make.</summary>
    private static T Bare<T>()
        where T : Exception => (T)RuntimeHelpers.GetUninitializedObject(typeof(T));

    private Task<Outcome<int>> MakeAsync(Kind kind, Grain grain, ILogger<GrainCalls>? log = null, CancellationToken waitingEnds = default, CancellationToken cancellationToken = default)
    {
        var calls = new GrainCalls(isCluster: kind != Kind.WithoutName, _time, log ?? NullLogger<GrainCalls>.Instance, waitingEnds);

        // What a timer of the clock continues is done then when the clock has been set, and not some time after.
        var context = SynchronizationContext.Current;
        SynchronizationContext.SetSynchronizationContext(null);
        var call = kind == Kind.Read
            ? calls.ReadAsync(grain, static (grain, token) => grain.CallAsync(operation: null, token), cancellationToken)
            : calls.WriteAsync(kind == Kind.NamedByCaller ? Named : null, grain, static (grain, operation) => grain.CallAsync(operation, CancellationToken.None));
        SynchronizationContext.SetSynchronizationContext(context);
        return call;
    }

    /// <summary>Lets time pass, in steps of 5 ms, until the call is over.</summary>
    private async Task<Task<Outcome<int>>> SettleAsync(Task<Outcome<int>> call)
    {
        for (var steps = 0; !call.IsCompleted && steps < 10_000; steps++)
        {
            _time.Advance(TimeSpan.FromMilliseconds(5));
            for (var turns = 0; turns < 3; turns++)
            {
                await Task.Yield();
            }
        }

        // All its time has passed. What is left may need a thread, which a busy machine gives it later.
        Assert.Same(call, await Task.WhenAny(call, Task.Delay(TimeSpan.FromSeconds(30))));
        return call;
    }

    private sealed class Grain
    {
        public List<Exception> Failures { get; } = [];

        public Func<Exception>? Always { get; init; }

        public bool Hangs { get; init; }

        public TaskCompletionSource Answer { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public bool IsReplayed { get; init; }

        public Action? Attempted { get; set; }

        /// <summary>The names that the attempts went by.</summary>
        public List<Operation?> Attempts { get; } = [];

        /// <summary>What tells the attempts that nobody waits for them any more.</summary>
        public List<CancellationToken> Tokens { get; } = [];

        public async Task<Outcome<int>> CallAsync(Operation? operation, CancellationToken cancellationToken)
        {
            Attempts.Add(operation);
            Tokens.Add(cancellationToken);
            Attempted?.Invoke();
            if (Hangs)
            {
                await Answer.Task.WaitAsync(cancellationToken);
            }

            if (Always is not null)
            {
                throw Always();
            }

            return Attempts.Count <= Failures.Count ? throw Failures[Attempts.Count - 1] : new Outcome<int>(7, IsReplayed);
        }
    }

    private sealed class Lines : ILogger<GrainCalls>
    {
        public List<(LogLevel Level, string Text)> All { get; } = [];

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            All.Add((logLevel, formatter(state, exception)));
    }
}
