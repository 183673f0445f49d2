using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json;
using Cerver.Bench.Load;

namespace Cerver.Bench.Gateways;

/// <summary>A gateway under measurement: makes the requests to it, and stops it when it is the bench's own.</summary>
internal sealed class Gateway : IAsyncDisposable
{
    /// <summary>What creates a session without compute.</summary>
    public const string TranscriptBody = """{"session_name":"bench","session_type":"transcript"}""";

    /// <summary>The compute that is the gateway's own machine.</summary>
    public const string Local = "local";

    private readonly GatewayProcess? _process;

    private Gateway(IPEndPoint endpoint, string token, GatewayProcess? process)
    {
        Endpoint = endpoint;
        Token = token;
        _process = process;
    }

    /// <summary>Where it listens.</summary>
    public IPEndPoint Endpoint { get; }

    /// <summary>The key of the account that is measured.</summary>
    public string Token { get; }

    /// <summary>Its process.</summary>
    /// <exception cref="InvalidOperationException">It is not the bench's own.</exception>
    public GatewayProcess Process => _process ?? throw new InvalidOperationException("The gateway was started by somebody else.");

    /// <summary>A gateway that runs already.</summary>
    public static Gateway At(IPEndPoint endpoint, string token) => new(endpoint, token, process: null);

    /// <summary>Starts the release build over an empty data directory on a free port and waits until it is ready.</summary>
    /// <param name="repository">Where the build is, and where its data goes.</param>
    /// <param name="cancellationToken">Ends the waiting.</param>
    /// <param name="settings">Settings for its command line.</param>
    /// <exception cref="BenchException">It does not become ready.</exception>
    public static async Task<Gateway> StartAsync(Repository repository, CancellationToken cancellationToken, params string[] settings)
    {
        var process = GatewayProcess.Start("dotnet", [repository.GatewayPath, .. settings], repository);
        try
        {
            await process.WaitUntilReadyAsync(cancellationToken);
        }
        catch
        {
            await process.DisposeAsync();
            throw;
        }

        return new(process.Endpoint, process.Token, process);
    }

    /// <summary>The bytes of a request.</summary>
    public ReadOnlyMemory<byte> Request(string method, string path, string? body = null)
    {
        var head = new StringBuilder()
            .Append(CultureInfo.InvariantCulture, $"{method} {path} HTTP/1.1\r\nHost: {Endpoint}\r\nAuthorization: Bearer {Token}\r\n");
        if (body is not null)
        {
            var length = Encoding.UTF8.GetByteCount(body);
            head.Append(CultureInfo.InvariantCulture, $"Content-Type: application/json\r\nContent-Length: {length}\r\n");
        }

        return Encoding.UTF8.GetBytes(head.Append("\r\n").Append(body).ToString());
    }

    /// <summary>Creates a session and returns its id.</summary>
    /// <exception cref="BenchException">It is refused.</exception>
    public async Task<string> CreateSessionAsync(string body, CancellationToken cancellationToken)
    {
        using var connection = await HttpConnection.OpenAsync(Endpoint, cancellationToken);
        var answer = await connection.AskAsync(Request("POST", "/v2/sessions", body), cancellationToken);
        using var session = JsonDocument.Parse(answer);
        return session.RootElement.GetProperty("session_id").GetString()
            ?? throw new BenchException("A session was created without a session_id.");
    }

    /// <summary>Creates sessions that hold a transcript and nothing else.</summary>
    /// <exception cref="BenchException">One is refused.</exception>
    public async Task<IReadOnlyList<string>> CreateTranscriptsAsync(int count, CancellationToken cancellationToken)
    {
        var ids = new List<string>(count);
        for (var made = 0; made < count; made++)
        {
            ids.Add(await CreateSessionAsync(TranscriptBody, cancellationToken));
        }

        return ids;
    }

    /// <summary>Creates a session with a local sandbox and returns its id.</summary>
    /// <exception cref="BenchException">It is refused.</exception>
    public Task<string> CreateSandboxAsync(CancellationToken cancellationToken) => CreateSessionAsync(SandboxBody(Local), cancellationToken);

    /// <summary>What creates a session with a sandbox.</summary>
    /// <param name="compute">Where it is to be.</param>
    public static string SandboxBody(string compute) =>
        $$$"""{"session_name":"bench","compute":"{{{compute}}}","requirements":{"runtime":"shell"}}""";

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => _process?.DisposeAsync() ?? ValueTask.CompletedTask;
}
