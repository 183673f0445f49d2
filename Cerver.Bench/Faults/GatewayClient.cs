using System.Collections.Immutable;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Cerver.Bench.Histories;

namespace Cerver.Bench.Faults;

/// <summary>What came of a request.</summary>
/// <param name="Outcome">What the client knows of it; null when nothing was sent at all, because nobody listened.</param>
/// <param name="Status">The status, or 0 without an answer.</param>
/// <param name="Body">The JSON that was answered, or an undefined value.</param>
internal sealed record Reply(Outcome? Outcome, int Status, JsonElement Body);

/// <summary>Makes requests to a gateway that may die at any moment, each to one of its addresses at random, and writes down the failures that it meets.</summary>
internal sealed class GatewayClient : IDisposable
{
    /// <summary>Whoever hears nothing for so long gives up.</summary>
    private static readonly TimeSpan RequestTimeout = TimeSpan.FromSeconds(30);

    /// <summary>The head of a stream comes before its first event. The gateway itself gives up after 30 s.</summary>
    private static readonly TimeSpan HeadTimeout = TimeSpan.FromSeconds(35);

    /// <summary>An open stream says every 15 s that it lives.</summary>
    private static readonly TimeSpan SilenceLimit = TimeSpan.FromSeconds(25);

    private readonly Lock _gate = new();
    private readonly ImmutableArray<Uri> _addresses;
    private readonly HistoryRecorder _history;
    private readonly Random _random;
    private readonly HttpClient _http;

    /// <summary>Makes a client of a gateway.</summary>
    /// <param name="target">The gateway.</param>
    /// <param name="history">Where failures are written down.</param>
    /// <param name="random">Chooses among the addresses. It is the client's own from now on.</param>
    public GatewayClient(ICrashTarget target, HistoryRecorder history, Random random)
    {
        _addresses = target.Addresses;
        _history = history;
        _random = random;
        _http = new() { Timeout = Timeout.InfiniteTimeSpan };
        _http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", target.Token);
    }

    /// <summary>Makes a request and reads the answer.</summary>
    /// <param name="method">The method.</param>
    /// <param name="path">The path.</param>
    /// <param name="body">The JSON to send, or null.</param>
    /// <param name="key">The idempotency key, or null.</param>
    /// <param name="cancellationToken">Ends the campaign; an answer that does not come is a reply.</param>
    public async Task<Reply> AskAsync(HttpMethod method, string path, string? body, string? key, CancellationToken cancellationToken)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(RequestTimeout);
        var started = _history.Now;
        try
        {
            using var request = Request(method, path, body, key);
            using var response = await _http.SendAsync(request, patience.Token);
            var text = await response.Content.ReadAsStringAsync(patience.Token);
            NoteStatus(request, response, text, started);
            var isJson = response.Content.Headers.ContentType?.MediaType == "application/json";
            return new(OutcomeOf((int)response.StatusCode), (int)response.StatusCode, isJson ? Parse(text) : default);
        }
        catch (Exception failure) when (IsBreak(failure, cancellationToken))
        {
            NoteBreak($"{method} {path}", failure.Message, started);
            return new(OutcomeOf(failure), Status: 0, Body: default);
        }
    }

    /// <summary>Reads a document that must be there.</summary>
    /// <exception cref="BenchException">The answer is not 2xx.</exception>
    public async Task<JsonElement> ReadAsync(string path, CancellationToken cancellationToken)
    {
        var reply = await AskAsync(HttpMethod.Get, path, body: null, key: null, cancellationToken);
        return reply.Outcome == Outcome.Acknowledged ? reply.Body : throw new BenchException($"{path} answered {reply.Status}: {reply.Body}");
    }

    /// <summary>The lines of a document, or null when the gateway does not have it.</summary>
    public async Task<IReadOnlyList<string>?> ReadLinesAsync(string path, CancellationToken cancellationToken)
    {
        using var request = Request(HttpMethod.Get, path, body: null, key: null);
        using var response = await _http.SendAsync(request, cancellationToken);
        return response.IsSuccessStatusCode
            ? (await response.Content.ReadAsStringAsync(cancellationToken)).Split('\n', StringSplitOptions.RemoveEmptyEntries)
            : null;
    }

    /// <summary>Opens a stream of events. A head that does not come within 35 s is a failure.</summary>
    /// <param name="method">The method.</param>
    /// <param name="path">The path.</param>
    /// <param name="body">The JSON to send, or null.</param>
    /// <param name="key">The idempotency key, or null.</param>
    /// <param name="after">The id of the last event that was seen; -1 for none.</param>
    /// <param name="cancellationToken">Ends the opening.</param>
    /// <returns>The response, whose body is to be read. The caller disposes of it.</returns>
    public async Task<HttpResponseMessage> OpenAsync(
        HttpMethod method, string path, string? body, string? key, long after, CancellationToken cancellationToken)
    {
        using var request = Request(method, path, body, key);
        if (after >= 0)
        {
            request.Headers.Add("Last-Event-ID", $"{after}");
        }

        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(HeadTimeout);
        var started = _history.Now;
        try
        {
            var response = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, patience.Token);
            NoteStatus(request, response, response.ReasonPhrase ?? string.Empty, started);
            return response;
        }
        catch (Exception failure) when (IsBreak(failure, cancellationToken))
        {
            NoteBreak($"{method} {path}", failure.Message, started);
            throw;
        }
    }

    /// <summary>Writes down that an answer did not come or broke off.</summary>
    /// <param name="request">The method and the path.</param>
    /// <param name="description">What was said, or what broke.</param>
    /// <param name="started">When the request was sent.</param>
    public void NoteBreak(string request, string description, TimeSpan started) =>
        _history.Add(new Failure(request, Status: 0, description, started, _history.Now));

    /// <summary>Reads the events of a response.</summary>
    public EventReader EventsOf(HttpResponseMessage response) => new(response, _history, SilenceLimit, TimeProvider.System);

    /// <summary>What the client knows of a request that was answered with a status.</summary>
    public static Outcome OutcomeOf(int status) => status switch
    {
        >= 200 and <= 299 => Outcome.Acknowledged,
        >= 400 and <= 499 => Outcome.Refused,
        _ => Outcome.Unknown,
    };

    /// <summary>What the client knows of a request that broke off; null when nothing was sent.</summary>
    public static Outcome? OutcomeOf(Exception failure) =>
        failure is HttpRequestException { HttpRequestError: HttpRequestError.ConnectionError } ? null : Outcome.Unknown;

    /// <summary>Whether an exception says that the connection broke or an answer did not come, and not that the campaign is over.</summary>
    public static bool IsBreak(Exception failure, CancellationToken campaign) =>
        failure is HttpRequestException or IOException || (failure is OperationCanceledException && !campaign.IsCancellationRequested);

    /// <inheritdoc/>
    public void Dispose() => _http.Dispose();

    private void NoteStatus(HttpRequestMessage request, HttpResponseMessage response, string said, TimeSpan started)
    {
        if ((int)response.StatusCode >= 500)
        {
            var description = $"{(int)response.StatusCode} from {request.RequestUri!.Authority}: {said}";
            _history.Add(new Failure($"{request.Method} {request.RequestUri.AbsolutePath}", (int)response.StatusCode, description, started, _history.Now));
        }
    }

    private HttpRequestMessage Request(HttpMethod method, string path, string? body, string? key)
    {
        Uri address;
        lock (_gate)
        {
            address = _addresses[_random.Next(_addresses.Length)];
        }

        var request = new HttpRequestMessage(method, new Uri(address, path));
        if (body is not null)
        {
            request.Content = new StringContent(body, Encoding.UTF8, "application/json");
        }

        if (key is not null)
        {
            request.Headers.Add("Idempotency-Key", key);
        }

        return request;
    }

    private static JsonElement Parse(string text)
    {
        using var document = JsonDocument.Parse(text);
        return document.RootElement.Clone();
    }
}
