using Cerver.Errors;
using Polly;
using Polly.Retry;

namespace Cerver.Api.Errors;

/// <summary>
/// Repeats a write that a newer activation of its session overtook. <see cref="CerverError.Fenced"/> says that nothing was changed, so repeating is safe;
/// every other failure leaves open what happened and is handed on.
/// </summary>
/// <remarks>Writes take no cancellation: a caller who hangs up must not leave open whether what was sent was done.</remarks>
internal static class WriteRetry
{
    private static readonly ResiliencePipeline Pipeline = new ResiliencePipelineBuilder()
        .AddRetry(new RetryStrategyOptions
        {
            ShouldHandle = static outcome => ValueTask.FromResult(outcome.Outcome.Exception is CerverException { Code: CerverError.Fenced }),
            MaxRetryAttempts = 2,
            Delay = TimeSpan.FromMilliseconds(20),
            BackoffType = DelayBackoffType.Exponential,
            UseJitter = true,
        })
        .Build();

    /// <summary>Makes the call, at most three times.</summary>
    public static ValueTask<TResult> ExecuteAsync<TState, TResult>(TState state, Func<TState, Task<TResult>> write) =>
        Pipeline.ExecuteAsync(
            static (call, _) => new ValueTask<TResult>(call.write(call.state)), (state, write), CancellationToken.None);
}
