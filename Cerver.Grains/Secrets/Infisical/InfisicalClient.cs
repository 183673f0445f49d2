using System.Collections.Concurrent;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using Cerver.Errors;
using Cerver.Grains.Secrets.Backends;
using Cerver.Secrets;
using Microsoft.Extensions.Logging;

namespace Cerver.Grains.Secrets.Infisical;

/// <summary>Reads secrets from instances of Infisical: version 4 of its API for secrets, and version 3 where there is no other yet.</summary>
/// <remarks>Every failure is a <see cref="CerverException"/> with <see cref="CerverError.SecretBackendUnavailable"/>.</remarks>
internal sealed partial class InfisicalClient(BackendHttp http, TimeProvider time, ILogger<InfisicalClient> logger) : IInfisicalVerifier
{
    /// <summary>The word of the source.</summary>
    public const string Source = "infisical";

    /// <summary>How long it is remembered that a site has no version 4. It may be brought up to date.</summary>
    internal static readonly TimeSpan OldRoutesFor = TimeSpan.FromHours(1);

    private const int MaxOldSites = 1000;

    /// <summary>What stands in the place of a value that is not shown.</summary>
    private const string Mask = "<hidden-by-infisical>";

    private readonly BackendTokens<Identity> _tokens = new(time);

    /// <summary>The sites without version 4, and when that was seen.</summary>
    private readonly ConcurrentDictionary<string, long> _oldSites = new(StringComparer.Ordinal);

    /// <summary>The value of a secret, or null when the vault has none of this name.</summary>
    public Task<Secret?> FetchAsync(InfisicalVault vault, string name, CancellationToken cancellationToken) => AskAsync(
        vault,
        async token =>
        {
            var secret = Uri.EscapeDataString(name);
            var answer = await ReadAsync(vault, $"api/v4/secrets/{secret}", $"api/v3/secrets/raw/{secret}", withValues: true, BackendHttp.MaxSecretBytes, token);
            return IsNoSuchSecret(answer) ? null : ValueOf(Successful(answer, vault));
        },
        cancellationToken);

    /// <summary>The names of the secrets in the vault's folder, those that it imports among them. No value is sent.</summary>
    public Task<ImmutableArray<string>> ListAsync(InfisicalVault vault, CancellationToken cancellationToken) => AskAsync(
        vault,
        async token =>
        {
            var answer = Successful(await ReadAsync(vault, "api/v4/secrets", "api/v3/secrets/raw", withValues: false, BackendHttp.MaxListBytes, token), vault);
            return NamesIn(answer);
        },
        cancellationToken);

    /// <inheritdoc/>
    public Task VerifyAsync(InfisicalVault vault, CancellationToken cancellationToken) => ListAsync(vault, cancellationToken);

    private async Task<T> AskAsync<T>(InfisicalVault vault, Func<CancellationToken, Task<T>> question, CancellationToken cancellationToken)
    {
        try
        {
            return await http.AskAsync(question, cancellationToken);
        }
        catch (BackendFailure failure)
        {
            var host = BackendAddress.HostOf(vault.SiteUrl);
            LogFailed(host, failure.Fault, failure.Status);
            throw failure.Refusal(Source, host);
        }
    }

    /// <summary>Asks version 4, and version 3 when the site does not know the other.</summary>
    private async Task<BackendAnswer> ReadAsync(InfisicalVault vault, string path, string oldPath, bool withValues, int maxBytes, CancellationToken cancellationToken)
    {
        if (!IsOld(vault.SiteUrl))
        {
            var answer = await AuthorizedAsync(vault, AddressOf(vault, path, "projectId", withValues), maxBytes, cancellationToken);
            if (!IsUnknownRoute(answer))
            {
                return answer;
            }
        }

        var old = await AuthorizedAsync(vault, AddressOf(vault, oldPath, "workspaceId", withValues), maxBytes, cancellationToken);
        if (IsUnknownRoute(old))
        {
            _oldSites.TryRemove(vault.SiteUrl, out _);
            throw new BackendFailure(BackendFault.NotUnderstood, "does not answer as Infisical does: check that the address is that of an instance.", old.Status);
        }

        RememberOld(vault.SiteUrl);
        return old;
    }

    private Task<BackendAnswer> AuthorizedAsync(InfisicalVault vault, Uri address, int maxBytes, CancellationToken cancellationToken) => vault.ClientId is { } clientId
        ? _tokens.UseAsync(
            new Identity(vault.SiteUrl, clientId, vault.Credential),
            () => LogInAsync(vault.SiteUrl, clientId, vault.Credential),
            (token, cancellation) => GetAsync(address, token, maxBytes, cancellation),
            IsTokenRefused,
            cancellationToken)
        : GetAsync(address, vault.Credential, maxBytes, cancellationToken);

#pragma warning disable RS0030 // Credentials go to the backend that they are for.
    private Task<BackendAnswer> GetAsync(Uri address, Secret token, int maxBytes, CancellationToken cancellationToken) => BackendHttp.CanBeSent(token.Reveal())
        ? http.ReadAsync(
            () => new HttpRequestMessage(HttpMethod.Get, address) { Headers = { Authorization = new AuthenticationHeaderValue("Bearer", token.Reveal()) } },
            maxBytes,
            cancellationToken)
        : throw BadCredentials(status: null);

    private static JsonContent LogIn(string clientId, Secret clientSecret) =>
        JsonContent.Create(new Dictionary<string, string>(StringComparer.Ordinal) { ["clientId"] = clientId, ["clientSecret"] = clientSecret.Reveal() });
#pragma warning restore RS0030

    private Task<BackendToken> LogInAsync(string siteUrl, string clientId, Secret clientSecret) => http.AskAsync(
        async token =>
        {
            var address = BackendAddress.Of(siteUrl, "api/v1/auth/universal-auth/login");
            var answer = await http.SendAsync(
                () => new HttpRequestMessage(HttpMethod.Post, address) { Content = LogIn(clientId, clientSecret) },
                BackendHttp.MaxSecretBytes,
                token);
            return answer switch
            {
                { IsSuccess: true } when answer.Text("accessToken") is { } accessToken && BackendHttp.CanBeSent(accessToken) =>
                    new BackendToken(new Secret(accessToken), TimeSpan.FromSeconds(Math.Clamp(answer.Number("expiresIn") ?? 0, 0, int.MaxValue))),
                { Status: HttpStatusCode.BadRequest or HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden or HttpStatusCode.UnprocessableContent } => throw BadCredentials(answer.Status),
                { Status: HttpStatusCode.NotFound } when !IsUnknownRoute(answer) => throw BadCredentials(answer.Status),
                _ => throw BackendFailure.Of(answer.Status),
            };
        },
        CancellationToken.None);

    private bool IsOld(string siteUrl) => _oldSites.TryGetValue(siteUrl, out var seenAt) && time.GetElapsedTime(seenAt) < OldRoutesFor;

    private void RememberOld(string siteUrl)
    {
        if (IsOld(siteUrl))
        {
            return;
        }

        if (_oldSites.Count >= MaxOldSites)
        {
            _oldSites.Clear();
        }

        _oldSites[siteUrl] = time.GetTimestamp();
    }

    private static Uri AddressOf(InfisicalVault vault, string path, string project, bool withValues) => BackendAddress.Of(
        vault.SiteUrl,
        path,
        (project, vault.ProjectId),
        ("environment", vault.Environment),
        ("secretPath", vault.Path),
        ("viewSecretValue", withValues ? "true" : "false"),
        ("expandSecretReferences", withValues ? "true" : "false"),
        ("include_imports", "true"));

    /// <summary>Whether an answer is not the application's word on what was asked for but says that there is no such address.</summary>
    private static bool IsUnknownRoute(BackendAnswer answer) =>
        answer.Status == HttpStatusCode.NotFound && (answer.Text("message") is null || answer.Text("error") is null or "Not Found");

    private static bool IsTokenRefused(BackendAnswer answer) =>
        answer.Status == HttpStatusCode.Unauthorized || (answer.Status == HttpStatusCode.Forbidden && answer.Text("error") == "TokenError");

    /// <summary>The same status says of a project, an environment, a folder and a token that there is none; only the words differ.</summary>
    private static bool IsNoSuchSecret(BackendAnswer answer) =>
        answer.Status == HttpStatusCode.NotFound && !IsUnknownRoute(answer) && !IsOfPlace(answer) && !IsOfCredentials(answer);

    private static bool IsOfPlace(BackendAnswer answer) => Begins(answer, "Folder", "Environment", "Project", "Workspace");

    private static bool IsOfCredentials(BackendAnswer answer) => Begins(answer, "Service token", "Identity", "Machine identity");

    private static bool Begins(BackendAnswer answer, params ReadOnlySpan<string> beginnings)
    {
        var message = answer.Text("message") ?? "";
        foreach (var beginning in beginnings)
        {
            if (message.StartsWith(beginning, StringComparison.OrdinalIgnoreCase))
            {
                return true;
            }
        }

        return false;
    }

    private static BackendAnswer Successful(BackendAnswer answer, InfisicalVault vault) => answer switch
    {
        { IsSuccess: true } => answer,
        _ when IsTokenRefused(answer) || (answer.Status == HttpStatusCode.NotFound && IsOfCredentials(answer)) =>
            throw (vault.ClientId is null ? BadCredentials(answer.Status) : NoAccess(answer.Status)),
        { Status: HttpStatusCode.Forbidden } => throw NoAccess(answer.Status),
        { Status: HttpStatusCode.NotFound or HttpStatusCode.BadRequest or HttpStatusCode.UnprocessableContent } => throw new BackendFailure(
            BackendFault.Misplaced, "knows no such project, environment or folder: check the project's id, the environment's slug and the path of the folder.", answer.Status),
        _ => throw BackendFailure.Of(answer.Status),
    };

    private static Secret ValueOf(BackendAnswer answer)
    {
        var value = answer.Text("secret", "secretValue");
        if (value is null)
        {
            throw BackendFailure.Of(answer.Status);
        }

        return answer.At("secret", "secretValueHidden").ValueKind != JsonValueKind.True && value != Mask
            ? new Secret(value)
            : throw new BackendFailure(
                BackendFault.AccessRefused, "hides the value from these credentials: let the machine identity read values, and not only names.", answer.Status);
    }

    private static ImmutableArray<string> NamesIn(BackendAnswer answer)
    {
        var secrets = answer.Elements("secrets") ?? throw BackendFailure.Of(answer.Status);
        var imported = (answer.Elements("imports") ?? []).SelectMany(static import => KeysOf(import, "secrets"));
        return [.. secrets.Select(static secret => KeyOf(secret)).Concat(imported).OfType<string>().Where(SecretRules.IsName).Distinct(StringComparer.Ordinal)];
    }

    private static IEnumerable<string?> KeysOf(JsonElement element, string list) =>
        element.ValueKind == JsonValueKind.Object && element.TryGetProperty(list, out var secrets) && secrets.ValueKind == JsonValueKind.Array
            ? secrets.EnumerateArray().Select(static secret => KeyOf(secret))
            : [];

    private static string? KeyOf(JsonElement secret) =>
        secret.ValueKind == JsonValueKind.Object && secret.TryGetProperty("secretKey", out var key) ? BackendAnswer.TextOf(key) : null;

    private static BackendFailure BadCredentials(HttpStatusCode? status) => new(
        BackendFault.LoginRefused,
        $"does not accept the credentials: give the gateway new ones. They are not tried again for {BackendTokens<Identity>.RefusalMemory.TotalSeconds:0} seconds.",
        status);

    private static BackendFailure NoAccess(HttpStatusCode status) => new(
        BackendFault.AccessRefused, "does not let these credentials read there: give them read access to the project, the environment and the folder.", status);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Infisical at {Host} gave no answer: {Fault}, status {Status}")]
    private partial void LogFailed(string host, BackendFault fault, int? status);

    private sealed record Identity(string SiteUrl, string ClientId, Secret Credential);
}
