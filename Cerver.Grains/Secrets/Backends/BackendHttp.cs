using System.Buffers;
using System.Net;
using System.Text.Json;
using Polly;
using Polly.Retry;
using Polly.Timeout;

namespace Cerver.Grains.Secrets.Backends;

/// <summary>The one way from here to backends of secrets: a redirect is not followed, an answer has a largest size, and everything ends in time.</summary>
/// <remarks>Every failure is a <see cref="BackendFailure"/>. No text of a backend or of the system gets beyond this class.</remarks>
internal sealed class BackendHttp : IDisposable
{
    /// <summary>How long one question may take, with its log-in and whatever is repeated. Whoever asks for a secret waits meanwhile.</summary>
    public static readonly TimeSpan Limit = TimeSpan.FromSeconds(5);

    /// <summary>The most that an answer may have that is about one secret, in bytes.</summary>
    public const int MaxSecretBytes = 1024 * 1024;

    /// <summary>The most that an answer may have that is a list, in bytes.</summary>
    public const int MaxListBytes = 8 * 1024 * 1024;

    /// <summary>Shorter than the limit, so that a connection that nobody answers is tried once more.</summary>
    private static readonly TimeSpan ConnectLimit = TimeSpan.FromSeconds(2);

    private readonly HttpClient _http = new(new SocketsHttpHandler
    {
        AllowAutoRedirect = false,
        UseCookies = false,
        ConnectTimeout = ConnectLimit,

        // Names are asked for again after that, so a backend can move.
        PooledConnectionLifetime = TimeSpan.FromMinutes(2),
    })
    {
        Timeout = Timeout.InfiniteTimeSpan,
        DefaultRequestHeaders = { UserAgent = { new("cerver", null) } },
    };

    private readonly ResiliencePipeline _limit;
    private readonly ResiliencePipeline<BackendAnswer> _reads;

    /// <summary>Connects to nothing yet.</summary>
    public BackendHttp(TimeProvider time)
    {
        _limit = new ResiliencePipelineBuilder { TimeProvider = time }.AddTimeout(Limit).Build();
        _reads = new ResiliencePipelineBuilder<BackendAnswer> { TimeProvider = time }
            .AddRetry(new RetryStrategyOptions<BackendAnswer>
            {
                ShouldHandle = static arguments => ValueTask.FromResult(MayPass(arguments.Outcome)),
                MaxRetryAttempts = 2,
                BackoffType = DelayBackoffType.Exponential,
                Delay = TimeSpan.FromMilliseconds(100),
                MaxDelay = TimeSpan.FromSeconds(1),
                UseJitter = true,
            })
            .Build();
    }

    /// <inheritdoc/>
    public void Dispose() => _http.Dispose();

    /// <summary>Asks a question that may take several requests, and ends it after <see cref="Limit"/>.</summary>
    public async Task<T> AskAsync<T>(Func<CancellationToken, Task<T>> question, CancellationToken cancellationToken)
    {
        try
        {
            return await _limit.ExecuteAsync(async token => await question(token), cancellationToken);
        }
        catch (TimeoutRejectedException)
        {
            throw new BackendFailure(BackendFault.TimedOut, $"did not answer within {Limit.TotalSeconds:0} seconds: try again, and look whether it is overloaded when it goes on.");
        }
    }

    /// <summary>Makes a request that changes nothing there, up to three times when it finds nobody, a failure or too much going on.</summary>
    /// <param name="request">Makes the request, which is sent once.</param>
    /// <param name="maxBytes">How much of an answer is read.</param>
    /// <param name="cancellationToken">Nobody waits any more.</param>
    public Task<BackendAnswer> ReadAsync(Func<HttpRequestMessage> request, int maxBytes, CancellationToken cancellationToken) =>
        _reads.ExecuteAsync(async token => await SendAsync(request, maxBytes, token), cancellationToken).AsTask();

    /// <summary>Makes a request once.</summary>
    public async Task<BackendAnswer> SendAsync(Func<HttpRequestMessage> request, int maxBytes, CancellationToken cancellationToken)
    {
        try
        {
            using var message = request();
            using var response = await _http.SendAsync(message, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
            return new BackendAnswer(response.StatusCode, await ReadBodyAsync(response.Content, maxBytes, cancellationToken));
        }
        catch (HttpRequestException failure) when (failure.HttpRequestError == HttpRequestError.SecureConnectionError)
        {
            throw new BackendFailure(BackendFault.Untrusted, "has no certificate that this machine trusts: give it one, or this machine its authority's.");
        }
        catch (HttpRequestException failure) when (failure.HttpRequestError is HttpRequestError.InvalidResponse or HttpRequestError.ConfigurationLimitExceeded)
        {
            throw new BackendFailure(BackendFault.NotUnderstood, "does not answer in HTTP: check that the address is right.");
        }
        catch (Exception failure) when (failure is HttpRequestException or IOException || (failure is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            // A connection that takes too long looks as if somebody had cancelled it, and nobody has.
            throw new BackendFailure(BackendFault.Unreachable, "cannot be reached: check that it runs there and that the gateway may connect to it.");
        }
    }

    /// <summary>Whether a text can stand in a header, as every token of a backend can.</summary>
    public static bool CanBeSent(string token) => token.Length > 0 && token.All(static character => character is > ' ' and <= '~');

    private static bool MayPass(Outcome<BackendAnswer> outcome) => outcome switch
    {
        { Exception: BackendFailure { Fault: BackendFault.Unreachable } } => true,
        { Result: { } answer } => answer.Status == HttpStatusCode.TooManyRequests || (int)answer.Status >= 500,
        _ => false,
    };

    /// <summary>The body as JSON, undefined when it is something else.</summary>
    private static async Task<JsonElement> ReadBodyAsync(HttpContent content, int maxBytes, CancellationToken cancellationToken)
    {
        using var stream = await content.ReadAsStreamAsync(cancellationToken);
        var body = new ArrayBufferWriter<byte>();
        while (await stream.ReadAsync(body.GetMemory(4096), cancellationToken) is > 0 and var count)
        {
            body.Advance(count);
            if (body.WrittenCount > maxBytes)
            {
                throw new BackendFailure(
                    BackendFault.TooLarge, $"answers with more than {maxBytes / (1024 * 1024)} MiB, which is not read: keep less in one secret, and fewer secrets in one folder.");
            }
        }

        try
        {
            return JsonElement.Parse(body.WrittenSpan);
        }
        catch (JsonException)
        {
            // What is no JSON comes from something before the backend; the status says enough.
            return default;
        }
    }
}
