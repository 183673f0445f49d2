using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Cerver.Errors;
using Cerver.Grains.Secrets.Backends;
using Cerver.Secrets;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Cerver.Grains.Secrets.Vault;

/// <summary>Reads secrets from the KV engine of version 2 of a HashiCorp Vault or an OpenBao.</summary>
/// <remarks>Every failure is a <see cref="CerverException"/> with <see cref="CerverError.SecretBackendUnavailable"/>.</remarks>
internal sealed partial class VaultClient(BackendHttp http, IOptions<VaultOptions> options, TimeProvider time, ILogger<VaultClient> logger)
{
    /// <summary>The word of the source.</summary>
    public const string Source = "vault";

    private readonly BackendTokens<Role> _tokens = new(time);

    private VaultOptions Vault => options.Value;

    /// <summary>The value of a secret, or null when there is none of this name, or none any more.</summary>
    public Task<Secret?> FetchAsync(string accountId, string name, CancellationToken cancellationToken) => AskAsync(
        async token =>
        {
            var answer = await ReadAsync(AddressOf("data", accountId, name), BackendHttp.MaxSecretBytes, token);
            return IsNothing(answer) ? null : ValueOf(Successful(answer), name);
        },
        cancellationToken);

    /// <summary>The names of the secrets in the account's folder.</summary>
    public Task<ImmutableArray<string>> ListAsync(string accountId, CancellationToken cancellationToken) => AskAsync(
        async token =>
        {
            // Some proxies let no LIST through; this is the same.
            var answer = await ReadAsync(AddressOf("metadata", accountId, name: null, ("list", "true")), BackendHttp.MaxListBytes, token);
            return IsNothing(answer) ? [] : NamesIn(Successful(answer));
        },
        cancellationToken);

    private async Task<T> AskAsync<T>(Func<CancellationToken, Task<T>> question, CancellationToken cancellationToken)
    {
        try
        {
            return await http.AskAsync(question, cancellationToken);
        }
        catch (BackendFailure failure)
        {
            var host = BackendAddress.HostOf(Vault.Address);
            LogFailed(host, failure.Fault, failure.Status);
            throw failure.Refusal(Source, host);
        }
    }

    private Task<BackendAnswer> ReadAsync(Uri address, int maxBytes, CancellationToken cancellationToken) => Vault.Token.Length > 0
        ? GetAsync(address, new Secret(Vault.Token), maxBytes, cancellationToken)
        : _tokens.UseAsync(
            new Role(Vault.Address, Vault.Namespace, Vault.RoleId, new Secret(Vault.SecretId)),
            LogInAsync,
            (token, cancellation) => GetAsync(address, token, maxBytes, cancellation),

            // It is also the answer to whoever may not read there.
            static answer => answer.Status == HttpStatusCode.Forbidden,
            cancellationToken);

    private Task<BackendAnswer> GetAsync(Uri address, Secret token, int maxBytes, CancellationToken cancellationToken) => http.ReadAsync(
        () =>
        {
            var request = Request(HttpMethod.Get, address);
#pragma warning disable RS0030 // The token goes to the backend that it is for.
            request.Headers.Add("X-Vault-Token", token.Reveal());
#pragma warning restore RS0030
            return request;
        },
        maxBytes,
        cancellationToken);

    private Task<BackendToken> LogInAsync() => http.AskAsync(
        async token =>
        {
            var address = BackendAddress.Of(Vault.Address, $"v1/auth/{Escaped(Vault.AppRoleMount)}/login");
            var answer = await http.SendAsync(
                () =>
                {
                    var request = Request(HttpMethod.Post, address);
                    request.Content = JsonContent.Create(new Dictionary<string, string>(StringComparer.Ordinal) { ["role_id"] = Vault.RoleId, ["secret_id"] = Vault.SecretId });
                    return request;
                },
                BackendHttp.MaxSecretBytes,
                token);
            return answer switch
            {
                { IsSuccess: true } when answer.Text("auth", "client_token") is { } clientToken && BackendHttp.CanBeSent(clientToken) =>
                    new BackendToken(new Secret(clientToken), TimeSpan.FromSeconds(Math.Clamp(answer.Number("auth", "lease_duration") ?? 0, 0, int.MaxValue))),
                { Status: HttpStatusCode.BadRequest or HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden or HttpStatusCode.NotFound } => throw new BackendFailure(
                    BackendFault.LoginRefused,
                    $"does not accept the role: check {VaultOptions.Section}:{nameof(VaultOptions.RoleId)}, {nameof(VaultOptions.SecretId)} and {nameof(VaultOptions.AppRoleMount)}, and give the role a new secret id. It is not tried again for {BackendTokens<Role>.RefusalMemory.TotalSeconds:0} seconds.",
                    answer.Status),
                _ => throw BackendFailure.Of(answer.Status),
            };
        },
        CancellationToken.None);

    private HttpRequestMessage Request(HttpMethod method, Uri address)
    {
        var request = new HttpRequestMessage(method, address);

        // An agent of Vault before it may take no request without; whoever makes a browser ask cannot set it.
        request.Headers.Add("X-Vault-Request", "true");
        if (Vault.Namespace.Length > 0)
        {
            request.Headers.Add("X-Vault-Namespace", Vault.Namespace);
        }

        return request;
    }

    private Uri AddressOf(string kind, string accountId, string? name, params ReadOnlySpan<(string Name, string Value)> query)
    {
        var folder = Vault.Path.Replace(VaultOptions.Account, accountId, StringComparison.Ordinal);
        string?[] parts = ["v1", Vault.Mount, kind, folder, name];
        return BackendAddress.Of(Vault.Address, string.Join('/', parts.Where(static part => !string.IsNullOrEmpty(part)).Select(static part => Escaped(part!))), query);
    }

    private static string Escaped(string path) => string.Join('/', path.Split('/').Select(Uri.EscapeDataString));

    /// <summary>Whether there is no such secret, none any more, or no folder yet. Where there is not even an engine, an error says so.</summary>
    private static bool IsNothing(BackendAnswer answer) =>
        answer is { Status: HttpStatusCode.NotFound, IsJson: true } && !(answer.Elements("errors") ?? []).Any();

    private BackendAnswer Successful(BackendAnswer answer) => answer switch
    {
        { IsSuccess: true } => answer,
        { Status: HttpStatusCode.Forbidden } => throw new BackendFailure(
            BackendFault.AccessRefused, "does not let the gateway read there: give its policy 'read' on data and 'list' on metadata of the folder, or the gateway a token that holds.", answer.Status),
        { Status: HttpStatusCode.NotFound, IsJson: true } => throw NoEngine(answer.Status),
        _ => throw BackendFailure.Of(answer.Status),
    };

    private Secret ValueOf(BackendAnswer answer, string name)
    {
        var document = answer.At("data", "data");
        if (document.ValueKind != JsonValueKind.Object)
        {
            throw NoEngine(answer.Status);
        }

        var texts = document.EnumerateObject().Where(static field => field.Value.ValueKind == JsonValueKind.String).Take(2).ToList();
        var chosen = document.TryGetProperty(Vault.Field, out var field) ? field : texts is [var only] ? only.Value : default;
        return BackendAnswer.TextOf(chosen) is { } value
            ? new Secret(value)
            : throw new BackendFailure(
                BackendFault.NoValue, $"has a document {name} of which no field can be told to be the value: give it a text in the field '{Vault.Field}', or one text only.");
    }

    private static ImmutableArray<string> NamesIn(BackendAnswer answer)
    {
        var keys = answer.Elements("data", "keys") ?? throw BackendFailure.Of(answer.Status);

        // Folders have a '/' at their end, which no name has.
        return [.. keys.Select(BackendAnswer.TextOf).OfType<string>().Where(SecretRules.IsName)];
    }

    private BackendFailure NoEngine(HttpStatusCode status) => new(
        BackendFault.Misplaced,
        $"has no KV engine of version 2 at '{Vault.Mount}': check {VaultOptions.Section}:{nameof(VaultOptions.Mount)} and {nameof(VaultOptions.Namespace)}.",
        status);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The Vault at {Host} gave no answer: {Fault}, status {Status}")]
    private partial void LogFailed(string host, BackendFault fault, int? status);

    private sealed record Role(string Address, string Namespace, string RoleId, Secret SecretId);
}
