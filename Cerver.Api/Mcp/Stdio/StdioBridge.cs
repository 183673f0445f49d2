using System.Collections.Concurrent;
using System.Net;
using System.Net.Http.Headers;
using System.Net.ServerSentEvents;
using System.Text;
using System.Text.Json;
using Cerver.Api.Answers;
using ModelContextProtocol.Protocol;

namespace Cerver.Api.Mcp.Stdio;

/// <summary>
/// Passes JSON-RPC messages between lines of text and a gateway, as they are. A request is one HTTP call, whose answer may bring notifications first; who cancels a
/// request hangs up on it. What goes wrong on the way is the answer to the request, and a line in the log.
/// </summary>
/// <param name="gateway">Calls with the token.</param>
/// <param name="endpoint">Where.</param>
/// <param name="output">Where answers go, and nothing else.</param>
/// <param name="log">Where everything else goes.</param>
internal sealed class StdioBridge(HttpClient gateway, Uri endpoint, Stream output, TextWriter log) : IDisposable
{
    private const int MaxLineBytes = 64 * 1_024 * 1_024;
    private const int MaxUnderWay = 256;
    private const int ParseError = -32_700;
    private const int InvalidRequest = -32_600;
    private const int Failed = -32_000;

    /// <summary>How long what is under way may still take when the client wants nothing more.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    private static readonly MediaTypeHeaderValue Json = new("application/json");

    private readonly ConcurrentDictionary<string, CancellationTokenSource> _requests = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<Task, bool> _underWay = new();
    private readonly SemaphoreSlim _turn = new(1, 1);
    private readonly CancellationTokenSource _over = new();
    private volatile string? _version;

    /// <summary>Runs until the input ends.</summary>
    /// <returns>The exit code: 0, or 1 when nobody reads the output any more.</returns>
    public async Task<int> RunAsync(Stream input)
    {
        var lines = new LineReader(input, MaxLineBytes);
        while (!_over.IsCancellationRequested && await lines.ReadAsync() is var (line, isWhole))
        {
            if (!isWhole)
            {
                await RefuseAsync(id: null, ParseError, $"A message may take {MaxLineBytes} bytes.");
            }
            else if (line.AsSpan().ContainsAnyExcept(" \t\r"u8))
            {
                await BeginAsync(line, JsonRpcHead.Read(line));
            }
        }

        var rest = Task.WhenAll(_underWay.Keys);
        await Task.WhenAny(rest, Task.Delay(Patience));
        var isRead = !_over.IsCancellationRequested;
        await _over.CancelAsync();
        await rest;
        return isRead ? 0 : 1;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _over.Dispose();
        _turn.Dispose();
    }

    private async Task BeginAsync(byte[] line, JsonRpcHead head)
    {
        var passing = PassAsync(line, head);
        if (head.Method == RequestMethods.Initialize)
        {
            // What comes after it is in the version that its answer names.
            await passing;
        }

        if (!passing.IsCompleted)
        {
            _underWay[passing] = true;
            _ = passing.ContinueWith(done => _underWay.TryRemove(done, out _), TaskScheduler.Default);
        }
    }

    private async Task PassAsync(byte[] line, JsonRpcHead head)
    {
        if (head.Method == NotificationMethods.CancelledNotification && head.CancelledId is { } cancelled)
        {
            // The gateway remembers nothing between two calls, and takes a broken line for what it is.
            if (_requests.TryGetValue(cancelled, out var unwanted))
            {
                await unwanted.CancelAsync();
            }

            return;
        }

        if (head is { IsRequest: false, IsAnswer: false, Method: null })
        {
            await RefuseAsync(id: null, ParseError, "This line is not a JSON-RPC message.");
            return;
        }

        using var wanted = CancellationTokenSource.CreateLinkedTokenSource(_over.Token);
        if (head.IsRequest && (_requests.Count >= MaxUnderWay || !_requests.TryAdd(head.Id!, wanted)))
        {
            await RefuseAsync(head.Id, InvalidRequest, $"There is a request of this id under way already, or {MaxUnderWay} others.");
            return;
        }

        try
        {
            await CallAsync(line, head, wanted.Token);
        }
        catch (OperationCanceledException) when (wanted.IsCancellationRequested)
        {
            // Nobody waits for an answer.
        }
        catch (HttpRequestException failure) when (failure.HttpRequestError is HttpRequestError.ConnectionError or HttpRequestError.NameResolutionError)
        {
            await FailAsync(head, $"The gateway at {endpoint} cannot be reached: {failure.Message}. See that it runs and that --url or CERVER_URL names it.");
        }
        catch (Exception failure) when (failure is HttpRequestException or IOException)
        {
            await FailAsync(head, $"The line to the gateway at {endpoint} broke. Look whether the call had its effect before you repeat it. ({failure.Message})");
        }
        finally
        {
            if (head.IsRequest)
            {
                _requests.TryRemove(KeyValuePair.Create(head.Id!, wanted));
            }
        }
    }

    private async Task CallAsync(byte[] line, JsonRpcHead head, CancellationToken cancellationToken)
    {
        using var call = new HttpRequestMessage(HttpMethod.Post, endpoint) { Content = new ByteArrayContent(line) { Headers = { ContentType = Json } } };
        AddHeaders(call.Headers, head);
        using var answer = await gateway.SendAsync(call, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
        if (answer is { IsSuccessStatusCode: true, Content.Headers.ContentType.MediaType: "text/event-stream" })
        {
            await using var body = await answer.Content.ReadAsStreamAsync(cancellationToken);
            await foreach (var message in SseParser.Create(body, static (_, data) => data.ToArray()).EnumerateAsync(cancellationToken))
            {
                if (await RelayAsync(message.Data, head, cancellationToken))
                {
                    return;
                }
            }

            await FailAsync(head, "The gateway ended the call without an answer. Look whether it had its effect before you repeat it.");
            return;
        }

        // Whatever is at the address may have no end.
        await answer.Content.LoadIntoBufferAsync(MaxLineBytes, cancellationToken);
        var whole = await answer.Content.ReadAsByteArrayAsync(cancellationToken);
        var isAnswered = whole.Length > 0 && IsMessage(whole) && await RelayAsync(whole, head, cancellationToken);
        if (!isAnswered && (head.IsRequest || !answer.IsSuccessStatusCode))
        {
            await FailAsync(head, Describe(answer.StatusCode, whole));
        }
    }

    private void AddHeaders(HttpRequestHeaders headers, JsonRpcHead head)
    {
        headers.Accept.ParseAdd("application/json");
        headers.Accept.ParseAdd("text/event-stream");
        if (head.Method == RequestMethods.Initialize)
        {
            return;
        }

        // Who says the version in each message says what the message is about in headers too.
        if (head.DeclaredVersion is { } declared)
        {
            _version = declared;
            headers.Add("Mcp-Method", McpHeaderEncoder.EncodeValue(head.Method));
            if (head.Name is not null)
            {
                headers.Add("Mcp-Name", McpHeaderEncoder.EncodeValue(head.Name));
            }
        }

        if (_version is { } version)
        {
            headers.TryAddWithoutValidation("MCP-Protocol-Version", version);
        }
    }

    /// <summary>Passes a message of the gateway on.</summary>
    /// <returns>Whether it was the answer.</returns>
    private async Task<bool> RelayAsync(byte[] message, JsonRpcHead request, CancellationToken cancellationToken)
    {
        var head = JsonRpcHead.Read(message);
        if (request.Method == RequestMethods.Initialize && head.AgreedVersion is { } agreed)
        {
            _version = agreed;
        }

        cancellationToken.ThrowIfCancellationRequested();
        await WriteAsync(message);
        return head.IsAnswer && head.Id == request.Id;
    }

    private static bool IsMessage(byte[] body)
    {
        var head = JsonRpcHead.Read(body);
        return head.IsAnswer || head.Method is not null;
    }

    private string Describe(HttpStatusCode status, byte[] body)
    {
        var said = SentenceIn(body);
        return status switch
        {
            HttpStatusCode.Unauthorized => $"The gateway at {endpoint} does not know the token. Set CERVER_API_TOKEN to the token of your account; a gateway of your own keeps it in the file 'token' of its data directory.",
            _ when (int)status < 300 => "The gateway gave no answer.",
            _ => $"The gateway at {endpoint} answered {(int)status}: {said ?? "nothing that is understood here. See that --url names a gateway."}",
        };
    }

    /// <summary>What a refusal of the API says, or a JSON-RPC error without an id.</summary>
    private static string? SentenceIn(byte[] body)
    {
        try
        {
            using var document = JsonDocument.Parse(body);
            return document.RootElement is { ValueKind: JsonValueKind.Object } root && root.TryGetProperty("error", out var error)
                ? error.ValueKind == JsonValueKind.String ? error.GetString()
                : error.ValueKind == JsonValueKind.Object && error.TryGetProperty("message", out var message) ? message.ToString()
                : null
                : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private async Task FailAsync(JsonRpcHead head, string sentence)
    {
        await log.WriteLineAsync($"cerver: {sentence}");
        if (head.IsRequest)
        {
            await RefuseAsync(head.Id, Failed, sentence);
        }
    }

    private async Task RefuseAsync(string? id, int code, string sentence)
    {
        using var message = new PooledBuffer();
        await using (var writer = new Utf8JsonWriter(message, JsonAnswer.WriterOptions))
        {
            writer.WriteStartObject();
            writer.WriteString("jsonrpc"u8, "2.0"u8);
            writer.WritePropertyName("id"u8);
            writer.WriteRawValue(id ?? "null");
            writer.WriteStartObject("error"u8);
            writer.WriteNumber("code"u8, code);
            writer.WriteString("message"u8, sentence);
            writer.WriteEndObject();
            writer.WriteEndObject();
        }

        await WriteAsync(message.Written.ToArray());
    }

    /// <summary>Writes a message as one line.</summary>
    private async Task WriteAsync(byte[] message)
    {
        // A line break between two parts of a message means nothing, and within a text there is none.
        message.AsSpan().Replace((byte)'\n', (byte)' ');
        await _turn.WaitAsync();
        try
        {
            await output.WriteAsync(message);
            await output.WriteAsync("\n"u8.ToArray());
            await output.FlushAsync();
        }
        catch (IOException)
        {
            // The client is gone, so there is nothing to do any more.
            await _over.CancelAsync();
        }
        finally
        {
            _turn.Release();
        }
    }
}
