using System.Runtime.ExceptionServices;
using Cerver.Errors;
using Cerver.Operations;
using Microsoft.Extensions.Logging;
using Orleans.Runtime;
using Polly;
using Polly.Retry;

namespace Cerver.Api.Calls;

/// <summary>The one way from the Api to a grain. A call is made again when that is safe, so that whoever waits sees a slow answer and no failure when a silo dies.</summary>
/// <remarks>
/// Safe are reads, whatever did not get as far as its grain or changed nothing there, and writes with a name: what they came to is recorded together with their
/// effect, so an attempt that follows one of unknown outcome finds out. In a cluster every write has a name. Without one a write of unknown outcome is not repeated.
/// </remarks>
/// <param name="isCluster">
/// Whether calls cross to other processes, which may die. Then writes that their callers did not name get a name here, and no attempt is waited for longer than
/// <see cref="AttemptLimit"/>.
/// </param>
/// <param name="time">The clock.</param>
/// <param name="logger">Is told of calls that were repeated, once each.</param>
/// <param name="waitingEnds">Is cancelled when the process is about to stop and nothing is to be made again any more.</param>
internal sealed partial class GrainCalls(bool isCluster, TimeProvider time, ILogger<GrainCalls> logger, CancellationToken waitingEnds)
{
    /// <summary>
    /// How long all attempts take together. A silo that hangs is out within 4 s and its grains answer after 8 s; a machine that is restarted, and has sandboxes that
    /// nobody else has, takes at most 20 s to stop and some more to start. Most clients wait for 30 s or more.
    /// </summary>
    public static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    /// <summary>
    /// How long one attempt is waited for in a cluster: a little more than the client waits for an answer, for calls that say of themselves that they take longer. A
    /// write goes on meanwhile, and the next attempt waits behind it at its grain.
    /// </summary>
    public static readonly TimeSpan AttemptLimit = TimeSpan.FromSeconds(4);

    /// <summary>
    /// How long an attempt is waited for whose grain asks somebody outside the cluster, who may take 5 s, and be one of several. When its silo is lost that is heard
    /// earlier.
    /// </summary>
    public static readonly TimeSpan OutsideLimit = TimeSpan.FromSeconds(20);

    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan MaxPause = TimeSpan.FromMilliseconds(400);
    private static readonly ResiliencePropertyKey<GrainCall> CallKey = new("cerver.call");

    private readonly ResiliencePipeline _pipeline = new ResiliencePipelineBuilder { TimeProvider = time }
        .AddRetry(new RetryStrategyOptions
        {
            ShouldHandle = arguments => ValueTask.FromResult(
                !waitingEnds.IsCancellationRequested && MayRepeat(arguments.Context, arguments.Outcome.Exception, time)),
            MaxRetryAttempts = int.MaxValue,
            DelayGenerator = static arguments => ValueTask.FromResult<TimeSpan?>(PauseAfter(arguments.AttemptNumber)),
        })
        .Build();

    /// <summary>Makes a call that may be made any number of times.</summary>
    /// <param name="state">What the call needs.</param>
    /// <param name="read">The call.</param>
    /// <param name="cancellationToken">Whoever asks goes away. Nothing is repeated then.</param>
    /// <exception cref="CerverException">Whatever the grain refuses.</exception>
    public Task<TResult> ReadAsync<TState, TResult>(TState state, Func<TState, CancellationToken, Task<TResult>> read, CancellationToken cancellationToken) =>
        ReadAsync(state, read, AttemptLimit, cancellationToken);

    /// <summary>Makes a call that may be made any number of times and that nothing comes of but its effect.</summary>
    /// <param name="state">What the call needs.</param>
    /// <param name="tell">The call.</param>
    /// <param name="cancellationToken">Whoever asks goes away. Nothing is repeated then.</param>
    /// <exception cref="CerverException">Whatever the grain refuses.</exception>
    public Task TellAsync<TState>(TState state, Func<TState, CancellationToken, Task> tell, CancellationToken cancellationToken) =>
        TellAsync(state, tell, AttemptLimit, cancellationToken);

    /// <summary>Makes a call that may be made any number of times, to a grain that asks somebody outside the cluster.</summary>
    /// <param name="state">What the call needs.</param>
    /// <param name="read">The call. Its <see cref="ResponseTimeoutAttribute"/> says that it may take as long as <see cref="OutsideLimit"/>.</param>
    /// <param name="cancellationToken">Whoever asks goes away. Nothing is repeated then.</param>
    /// <exception cref="CerverException">Whatever the grain refuses.</exception>
    public Task<TResult> ReadOutsideAsync<TState, TResult>(TState state, Func<TState, CancellationToken, Task<TResult>> read, CancellationToken cancellationToken) =>
        ReadAsync(state, read, OutsideLimit, cancellationToken);

    /// <summary>Makes a call that may be made any number of times and that nothing comes of but its effect, to a grain that asks somebody outside the cluster.</summary>
    /// <inheritdoc cref="TellAsync{TState}(TState, Func{TState, CancellationToken, Task}, CancellationToken)"/>
    public Task TellOutsideAsync<TState>(TState state, Func<TState, CancellationToken, Task> tell, CancellationToken cancellationToken) =>
        TellAsync(state, tell, OutsideLimit, cancellationToken);

    /// <summary>Makes a call that changes something. It takes no cancellation: a caller who hangs up must not leave open whether what was sent was done.</summary>
    /// <param name="operation">The caller's name for the write, or null.</param>
    /// <param name="state">What the call needs.</param>
    /// <param name="write">The call, with the name that it goes by: the caller's or the Api's own, and whether it was made before.</param>
    /// <returns>What it came to. It counts as told again only when the caller named it.</returns>
    /// <exception cref="CerverException">Whatever the grain refuses.</exception>
    public Task<Operations.Outcome<TResult>> WriteAsync<TState, TResult>(
        Operation? operation, TState state, Func<TState, Operation?, Task<Operations.Outcome<TResult>>> write) =>
        WriteAsync(operation, state, write, AttemptLimit);

    /// <summary>
    /// Makes a call that changes something and then asks somebody outside the cluster. Its <see cref="ResponseTimeoutAttribute"/> says that it may take as long as
    /// <see cref="OutsideLimit"/>: an attempt that follows would find the change made, and not know what came of the rest.
    /// </summary>
    /// <inheritdoc cref="WriteAsync{TState, TResult}(Operation?, TState, Func{TState, Operation?, Task{Operations.Outcome{TResult}}})"/>
    public Task<Operations.Outcome<TResult>> WriteOutsideAsync<TState, TResult>(
        Operation? operation, TState state, Func<TState, Operation?, Task<Operations.Outcome<TResult>>> write) =>
        WriteAsync(operation, state, write, OutsideLimit);

    /// <summary>Makes a call that changes something, may be made any number of times as it is, and is not given up because its caller hangs up.</summary>
    /// <param name="state">What the call needs.</param>
    /// <param name="write">The call.</param>
    /// <exception cref="CerverException">Whatever the grain refuses.</exception>
    public async Task<TResult> WriteAgainAsync<TState, TResult>(TState state, Func<TState, Task<TResult>> write)
    {
        var outcome = await WriteAsync(
            operation: null,
            (state, write),
            static async (call, _) => new Operations.Outcome<TResult>(await call.write(call.state), IsReplayed: false));
        return outcome.Value;
    }

    private async Task<Operations.Outcome<TResult>> WriteAsync<TState, TResult>(
        Operation? operation, TState state, Func<TState, Operation?, Task<Operations.Outcome<TResult>>> write, TimeSpan attemptLimit)
    {
        var named = operation ?? (isCluster ? Operation.New(time.GetUtcNow()) : null);
        var outcome = await ExecuteAsync(
            new GrainCall(isRead: false, named, time.GetTimestamp()) { AttemptLimit = attemptLimit },
            (state, write),
            static (call, made, _) => made.write(made.state, call.Operation),
            CancellationToken.None);
        return operation is null ? new(outcome.Value, IsReplayed: false) : outcome;
    }

    private Task<TResult> ReadAsync<TState, TResult>(
        TState state, Func<TState, CancellationToken, Task<TResult>> read, TimeSpan attemptLimit, CancellationToken cancellationToken) =>
        ExecuteAsync(
            new GrainCall(isRead: true, operation: null, time.GetTimestamp()) { AttemptLimit = attemptLimit },
            (state, read),
            static (_, call, token) => call.read(call.state, token),
            cancellationToken);

    private Task<bool> TellAsync<TState>(TState state, Func<TState, CancellationToken, Task> tell, TimeSpan attemptLimit, CancellationToken cancellationToken) => ReadAsync(
        (state, tell),
        static async (call, token) =>
        {
            await call.tell(call.state, token);
            return true;
        },
        attemptLimit,
        cancellationToken);

    private static bool MayRepeat(ResilienceContext context, Exception? failure, TimeProvider time)
    {
        if (failure is null || context.CancellationToken.IsCancellationRequested)
        {
            return false;
        }

        var call = context.Properties.GetValue(CallKey, null!);

        // What begins after a pause must still have time left.
        return call.MayRepeatAfter(failure) && time.GetElapsedTime(call.Began) + MaxPause < Limit;
    }

    /// <summary>Doubles from attempt to attempt, and is anywhere in its upper half, so that callers who failed together do not come back together.</summary>
    private static TimeSpan PauseAfter(int attempt)
    {
        var longest = Math.Min(FirstPause.TotalMilliseconds * (1L << Math.Min(attempt, 16)), MaxPause.TotalMilliseconds);
        return TimeSpan.FromMilliseconds(longest * (1 + Random.Shared.NextDouble()) / 2);
    }

    private async Task<TResult> ExecuteAsync<TState, TResult>(
        GrainCall call, TState state, Func<GrainCall, TState, CancellationToken, Task<TResult>> make, CancellationToken cancellationToken)
    {
        var context = ResilienceContextPool.Shared.Get(cancellationToken);
        context.Properties.Set(CallKey, call);
        try
        {
            var result = await _pipeline.ExecuteAsync(
                static async (context, attempt) =>
                {
                    var (calls, call, state, make) = attempt;
                    return await calls.AttemptAsync(call, state, make, context.CancellationToken);
                },
                context,
                (this, call, state, make));
            if (call.FirstFailure is { } first)
            {
                var (took, reason) = (time.GetElapsedTime(call.Began).TotalMilliseconds, CallFailures.NameOf(first));
                LogRepeated(call.Failures + 1, took, reason);
            }

            return result;
        }
        catch (Exception last) when (call.Failures > 1 && !cancellationToken.IsCancellationRequested)
        {
            LogGivenUp(
                call.Failures, time.GetElapsedTime(call.Began).TotalMilliseconds, CallFailures.NameOf(call.FirstFailure!), CallFailures.NameOf(last));
            ExceptionDispatchInfo.Throw(call.FailureOf(last));
            throw;
        }
        finally
        {
            ResilienceContextPool.Shared.Return(context);
        }
    }

    private async Task<TResult> AttemptAsync<TState, TResult>(
        GrainCall call, TState state, Func<GrainCall, TState, CancellationToken, Task<TResult>> make, CancellationToken cancellationToken)
    {
        if (!isCluster)
        {
            return await make(call, state, cancellationToken);
        }

        // A read that is not waited for any more ends; a write goes on, because the next attempt finds out what it came to.
        using var over = call.IsRead ? CancellationTokenSource.CreateLinkedTokenSource(cancellationToken) : null;
        var attempt = make(call, state, over?.Token ?? cancellationToken);
        if (attempt.IsCompleted)
        {
            return await attempt;
        }

        var left = Limit - time.GetElapsedTime(call.Began);
        var limit = left < FirstPause ? FirstPause : left < call.AttemptLimit ? left : call.AttemptLimit;
        try
        {
            return await attempt.WaitAsync(limit, time, cancellationToken);
        }
        finally
        {
            if (!attempt.IsCompleted)
            {
                attempt.Ignore();
#pragma warning disable VSTHRD103, CA1849, MA0042 // A grain call only sends a message when it is cancelled, and that needs no other thread.
                over?.Cancel();
#pragma warning restore VSTHRD103, CA1849, MA0042
            }
        }
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "A call was answered by its attempt {Attempts}, after {Milliseconds} ms; the first failed with {Reason}")]
    private partial void LogRepeated(int attempts, double milliseconds, string reason);

    [LoggerMessage(Level = LogLevel.Warning, Message = "A call was given up after {Attempts} attempts and {Milliseconds} ms; the first failed with {Reason}, the last with {LastReason}")]
    private partial void LogGivenUp(int attempts, double milliseconds, string reason, string lastReason);
}
