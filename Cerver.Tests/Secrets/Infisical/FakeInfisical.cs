using System.Collections.Concurrent;
using System.Text.Json;
using Cerver.Tests.Secrets.Backends;
using Microsoft.AspNetCore.Http;

namespace Cerver.Tests.Secrets.Infisical;

/// <summary>
/// An Infisical with one project, one machine identity and one service token, made from the public documentation of its API. It is strict: what the real one needs must be
/// there, and be right.
/// </summary>
internal sealed class FakeInfisical : IAsyncDisposable
{
    public const string ProjectId = "7e2f1c9a-5b0d-4c6e-9a41-0d3b8f6c2e57";
    public const string ClientId = "b1f7a0c4-2d8e-4f36-8a95-6c0e7d1b3f42";
    public const string ClientSecret = "client-secret-that-nobody-sees";
    public const string ServiceToken = "st.service-token-that-nobody-sees";
    private const string Mask = "<hidden-by-infisical>";

    private readonly ConcurrentDictionary<string, bool> _tokens = new(StringComparer.Ordinal);
    private FakeBackend? _backend;
    private int _tokenCount;

    private FakeInfisical()
    {
    }

    public FakeBackend Backend => _backend!;

    public string Site => Backend.Address;

    /// <summary>The secrets, by folder and name.</summary>
    public ConcurrentDictionary<(string Folder, string Name), string> Secrets { get; } = new();

    /// <summary>The secrets that each folder imports.</summary>
    public ConcurrentDictionary<(string Folder, string Name), string> Imports { get; } = new();

    /// <summary>The secrets of which the identity may know the names alone.</summary>
    public ISet<string> Hidden { get; } = new HashSet<string>(StringComparer.Ordinal);

    public bool HasVersion4 { get; set; } = true;

    public bool HasVersion3 { get; set; } = true;

    /// <summary>How long a token holds, in seconds.</summary>
    public int ExpiresIn { get; set; } = 7200;

    /// <summary>Whether a token that does not hold is told as a broken signature, and not as one that was revoked.</summary>
    public bool SaysTokenError { get; set; }

    /// <summary>Whether the identity has no right to anything.</summary>
    public bool Denies { get; set; }

    /// <summary>Every log-in waits for this.</summary>
    public Task LogInGate { get; set; } = Task.CompletedTask;

    public int LogIns => Backend.Requests.Count(static request => request == "POST /api/v1/auth/universal-auth/login");

    /// <summary>The tokens that it gave out.</summary>
    public IEnumerable<string> Tokens => _tokens.Keys;

    public static async Task<FakeInfisical> StartAsync(int port = 0)
    {
        var fake = new FakeInfisical();
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
        var (method, path) = (context.Request.Method, context.Request.Path.Value!);
        return (method, path.Split('/')) switch
        {
            ("POST", ["", "api", "v1", "auth", "universal-auth", "login"]) => LogInAsync(context),
            ("GET", ["", "api", "v4", "secrets"]) when HasVersion4 => ListAsync(context, "projectId"),
            ("GET", ["", "api", "v4", "secrets", var name]) when HasVersion4 => GetAsync(context, name, "projectId"),
            ("GET", ["", "api", "v3", "secrets", "raw"]) when HasVersion3 => ListAsync(context, "workspaceId"),
            ("GET", ["", "api", "v3", "secrets", "raw", var name]) when HasVersion3 => GetAsync(context, name, "workspaceId"),
            _ => AnswerAsync(context, 404, new { message = $"Route {method}:{path} not found", error = "Not Found", statusCode = 404 }),
        };
    }

    private async Task LogInAsync(HttpContext context)
    {
        await LogInGate;
        var body = await context.Request.ReadFromJsonAsync<Dictionary<string, string>>();
        if (body is not { Count: 2 } || !body.TryGetValue("clientId", out var clientId) || !body.TryGetValue("clientSecret", out var clientSecret))
        {
            await RefuseAsync(context, 422, "ValidationFailure", "clientId and clientSecret are required");
            return;
        }

        if ((clientId, clientSecret) != (ClientId, ClientSecret))
        {
            await RefuseAsync(context, 401, "UnauthorizedError", "Invalid credentials");
            return;
        }

        var token = $"token-{Interlocked.Increment(ref _tokenCount)}-that-nobody-sees";
        _tokens[token] = true;
        await AnswerAsync(context, 200, new { accessToken = token, expiresIn = ExpiresIn, accessTokenMaxTTL = 2592000, tokenType = "Bearer" });
    }

    private async Task GetAsync(HttpContext context, string name, string projectParameter)
    {
        if (await FolderOfAsync(context, projectParameter) is not { } folder)
        {
            return;
        }

        var imports = context.Request.Query["include_imports"] == "true";
        if (Secrets.TryGetValue((folder, name), out var value) || (imports && Imports.TryGetValue((folder, name), out value)))
        {
            await AnswerAsync(context, 200, new { secret = Shown(context, folder, name, value) });
        }
        else
        {
            await RefuseAsync(context, 404, "NotFound", $"Secret with name '{name}' not found");
        }
    }

    private async Task ListAsync(HttpContext context, string projectParameter)
    {
        if (await FolderOfAsync(context, projectParameter) is not { } folder)
        {
            return;
        }

        object[] Of(IEnumerable<KeyValuePair<(string Folder, string Name), string>> secrets) =>
            [.. secrets.Where(secret => secret.Key.Folder == folder).Select(secret => Shown(context, folder, secret.Key.Name, secret.Value))];

        var imports = context.Request.Query["include_imports"] == "true"
            ? new[] { new { secretPath = "/imported", environment = "prod", folderId = "folder", secrets = Of(Imports) } }
            : null;
        await AnswerAsync(context, 200, new { secrets = Of(Secrets), imports });
    }

    /// <summary>The folder that is asked for, or null when the request was refused.</summary>
    private async Task<string?> FolderOfAsync(HttpContext context, string projectParameter)
    {
        var query = context.Request.Query;
        var token = context.Request.Headers.Authorization.ToString();
        var folder = query["secretPath"] is [{ Length: > 0 } given] ? given : "/";
        if (token != $"Bearer {ServiceToken}" && !(token.StartsWith("Bearer ", StringComparison.Ordinal) && _tokens.GetValueOrDefault(token["Bearer ".Length..])))
        {
            await (SaysTokenError
                ? RefuseAsync(context, 403, "TokenError", "Your token has expired. Please re-authenticate.")
                : RefuseAsync(context, 401, "UnauthorizedError", "Failed to authorize revoked access token"));
        }
        else if (query["environment"] is not [{ Length: > 0 } environment] || query[projectParameter] is not [{ Length: > 0 } project])
        {
            await RefuseAsync(context, 400, "BadRequest", "Missing project id or environment");
        }
        else if (project != ProjectId)
        {
            await RefuseAsync(context, 404, "NotFound", $"Project with ID '{project}' not found");
        }
        else if (Denies)
        {
            await RefuseAsync(context, 403, "PermissionDenied", "You are not allowed to read on secrets");
        }
        else if (environment != "prod" || folder is not ("/" or "/agents"))
        {
            await RefuseAsync(context, 404, "GetSecretByName", $"Folder with path '{folder}' in environment with slug '{environment}' not found");
        }
        else
        {
            return folder;
        }

        return null;
    }

    private object Shown(HttpContext context, string folder, string name, string value)
    {
        var hidden = context.Request.Query["viewSecretValue"] == "false" || Hidden.Contains(name);
        return new
        {
            id = $"id-of-{name}",
            workspace = ProjectId,
            environment = "prod",
            version = 1,
            type = "shared",
            secretKey = name,
            secretValue = hidden ? Mask : value,
            secretComment = "",
            secretPath = folder,
            secretValueHidden = hidden,
            tags = Array.Empty<string>(),
        };
    }

    private static Task RefuseAsync(HttpContext context, int status, string error, string message) =>
        AnswerAsync(context, status, new { reqId = "req-0123456789abcd", statusCode = status, message, error });

    private static Task AnswerAsync(HttpContext context, int status, object body)
    {
        context.Response.StatusCode = status;
        return context.Response.WriteAsJsonAsync(body, JsonSerializerOptions.Default);
    }
}
