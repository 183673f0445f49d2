using System.Collections.Concurrent;
using System.Text.Json;
using Cerver.Tests.Secrets.Backends;
using Microsoft.AspNetCore.Http;

namespace Cerver.Tests.Secrets.Vault;

/// <summary>
/// A Vault with one KV engine of version 2 at <c>secret</c> and AppRole at <c>approle</c>, made from the public documentation of its API. It is strict: what the real one
/// needs must be there, and be right.
/// </summary>
internal sealed class FakeVault : IAsyncDisposable
{
    public const string Token = "hvs.token-that-nobody-sees";
    public const string RoleId = "role-of-the-test";
    public const string SecretId = "secret-id-that-nobody-sees";

    private readonly ConcurrentDictionary<string, bool> _tokens = new(StringComparer.Ordinal) { [Token] = true };
    private FakeBackend? _backend;
    private int _tokenCount;

    private FakeVault()
    {
    }

    public FakeBackend Backend => _backend!;

    public string Address => Backend.Address;

    /// <summary>The documents by path, as JSON.</summary>
    public ConcurrentDictionary<string, string> Documents { get; } = new(StringComparer.Ordinal);

    /// <summary>The documents of which the newest version was deleted, and whether it is destroyed.</summary>
    public ConcurrentDictionary<string, bool> Deleted { get; } = new(StringComparer.Ordinal);

    /// <summary>What no token may read begins like this.</summary>
    public string? Forbidden { get; set; }

    /// <summary>The namespace in which all of it is.</summary>
    public string Namespace { get; set; } = "";

    /// <summary>How long a token holds, in seconds.</summary>
    public int LeaseDuration { get; set; } = 2764800;

    /// <summary>Every log-in waits for this.</summary>
    public Task LogInGate { get; set; } = Task.CompletedTask;

    public int LogIns => Backend.Requests.Count(static request => request == "POST /v1/auth/approle/login");

    public static async Task<FakeVault> StartAsync(int port = 0)
    {
        var fake = new FakeVault();
        fake._backend = await FakeBackend.StartAsync(fake.HandleAsync, port);
        return fake;
    }

    /// <summary>Takes no token any more that it gave out so far.</summary>
    public void RevokeTokens()
    {
        foreach (var token in _tokens.Keys)
        {
            _tokens[token] = false;
        }
    }

    public ValueTask DisposeAsync() => Backend.DisposeAsync();

    private Task HandleAsync(HttpContext context)
    {
        var (request, path) = (context.Request, context.Request.Path.Value!);
        var isList = request.Method == "LIST" || (request.Method == "GET" && request.Query["list"] == "true");
        if (request.Headers["X-Vault-Namespace"].ToString() != Namespace || !path.StartsWith("/v1/", StringComparison.Ordinal))
        {
            return RefuseAsync(context, 404, $"no handler for route \"{path.TrimStart('/')}\". route entry not found.");
        }

        path = path["/v1/".Length..];
        if ((request.Method, path) == ("POST", "auth/approle/login"))
        {
            return LogInAsync(context);
        }

        if (!_tokens.GetValueOrDefault(request.Headers["X-Vault-Token"].ToString()) || (Forbidden is { } forbidden && path.StartsWith(forbidden, StringComparison.Ordinal)))
        {
            return RefuseAsync(context, 403, "permission denied");
        }

        return path switch
        {
            _ when path.StartsWith("secret/data/", StringComparison.Ordinal) && request.Method == "GET" => ReadAsync(context, path["secret/data/".Length..]),
            _ when path.StartsWith("secret/metadata", StringComparison.Ordinal) && isList => ListAsync(context, path["secret/metadata".Length..].Trim('/')),
            _ when path.StartsWith("secret/", StringComparison.Ordinal) => RefuseAsync(context, 405, "unsupported operation"),
            _ => RefuseAsync(context, 404, $"no handler for route \"{path}\". route entry not found."),
        };
    }

    private async Task LogInAsync(HttpContext context)
    {
        await LogInGate;
        var body = await context.Request.ReadFromJsonAsync<Dictionary<string, string>>() ?? [];
        if ((body.GetValueOrDefault("role_id"), body.GetValueOrDefault("secret_id")) != (RoleId, SecretId))
        {
            await RefuseAsync(context, 400, "invalid role or secret ID");
            return;
        }

        var token = $"hvs.token-{Interlocked.Increment(ref _tokenCount)}-that-nobody-sees";
        _tokens[token] = true;
        await AnswerAsync(context, 200, new
        {
            auth = new { client_token = token, accessor = "accessor", policies = new[] { "default" }, lease_duration = LeaseDuration, renewable = true, token_type = "service" },
        });
    }

    private Task ReadAsync(HttpContext context, string path)
    {
        var destroyed = false;
        if (!Documents.TryGetValue(path, out var document) && !Deleted.TryGetValue(path, out destroyed))
        {
            return RefuseAsync(context, 404);
        }

        var metadata = new { created_time = "2026-02-03T09:14:07.38Z", custom_metadata = (object?)null, deletion_time = document is null ? "2026-02-03T10:00:00Z" : "", destroyed, version = 2 };
        return AnswerAsync(
            context,
            document is null ? 404 : 200,
            new { request_id = "request", lease_id = "", renewable = false, lease_duration = 0, data = new { data = document is null ? (JsonElement?)null : JsonElement.Parse(document), metadata } });
    }

    private Task ListAsync(HttpContext context, string folder)
    {
        var prefix = folder.Length == 0 ? "" : $"{folder}/";
        string[] keys =
        [
            .. Documents.Keys.Concat(Deleted.Keys).Where(path => path.StartsWith(prefix, StringComparison.Ordinal)).Select(path => path[prefix.Length..])
                .Select(static rest => rest.Contains('/', StringComparison.Ordinal) ? rest[..(rest.IndexOf('/', StringComparison.Ordinal) + 1)] : rest)
                .Distinct(StringComparer.Ordinal),
        ];
        return keys.Length == 0 ? RefuseAsync(context, 404) : AnswerAsync(context, 200, new { data = new { keys } });
    }

    private static Task RefuseAsync(HttpContext context, int status, params string[] errors) => AnswerAsync(context, status, new { errors });

    private static Task AnswerAsync(HttpContext context, int status, object body)
    {
        context.Response.StatusCode = status;
        return context.Response.WriteAsJsonAsync(body, JsonSerializerOptions.Default);
    }
}
