using System.Collections.Concurrent;
using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using k8s;
using k8s.Models;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Cerver.Tests.Kubernetes;

/// <summary>
/// As much of the API server of Kubernetes as a silo sees: the pods of its namespace, and a refusal of all that its role does not allow.
/// </summary>
internal sealed class KubernetesApi : IAsyncDisposable
{
    private readonly ConcurrentDictionary<string, V1Pod> _pods = new();
    private readonly ConcurrentQueue<string> _asked = new();
    private readonly WebApplication _app;
    private readonly IReadOnlySet<string> _verbs;

    private KubernetesApi(WebApplication app, IReadOnlySet<string> verbs)
    {
        _app = app;
        _verbs = verbs;
    }

    /// <summary>The directory that Kubernetes would put into the pod: a token, and whose certificate to trust.</summary>
    public string ServiceAccount { get; } = Directory.CreateTempSubdirectory("cerver-account-").FullName;

    /// <summary>
    /// What it was asked for, each once: a verb of Kubernetes, with the word <c>refused</c> when the role has not got it.
    /// </summary>
    public IReadOnlyList<string> Asked => [.. _asked.Distinct().Order(StringComparer.Ordinal)];

    /// <summary>What Kubernetes puts into the environment of every pod.</summary>
    public IEnumerable<KeyValuePair<string, string>> Variables
    {
        get
        {
            var address = new Uri(_app.Urls.Single());
            return [new("KUBERNETES_SERVICE_HOST", address.Host), new("KUBERNETES_SERVICE_PORT", $"{address.Port}")];
        }
    }

    /// <summary>Starts it with the role that the manifests give a silo.</summary>
    public static async Task<KubernetesApi> StartAsync(V1Role role)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var certificate = Certify(key);
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseKestrelHttpsConfiguration();
        builder.WebHost.ConfigureKestrel(options => options.Listen(IPAddress.Loopback, port: 0, listen => listen.UseHttps(certificate)));
        builder.Logging.ClearProviders();
        var api = new KubernetesApi(builder.Build(), role.Rules.Single().Verbs.ToHashSet());
        await File.WriteAllTextAsync(Path.Combine(api.ServiceAccount, "ca.crt"), certificate.ExportCertificatePem());
        await File.WriteAllTextAsync(Path.Combine(api.ServiceAccount, "token"), "token-of-the-silo");
        api._app.Map("/api/v1/namespaces/{space}/pods/{name?}", api.AnswerAsync);
        await api._app.StartAsync();
        return api;
    }

    /// <summary>Adds a pod.</summary>
    public void Add(string name, V1PodTemplateSpec template) => _pods[name] = new V1Pod
    {
        ApiVersion = "v1",
        Kind = "Pod",
        Metadata = new() { Name = name, Labels = template.Metadata.Labels },
    };

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _app.DisposeAsync();
        Directory.Delete(ServiceAccount, recursive: true);
    }

    private async Task AnswerAsync(HttpContext context)
    {
        var name = context.Request.RouteValues["name"] as string;
        var verb = (context.Request.Method, name) switch
        {
            ("GET", null) => context.Request.Query["watch"] == "true" ? "watch" : "list",
            ("GET", _) => "get",
            var (method, _) => method.ToLowerInvariant(),
        };
        if (!_verbs.Contains(verb))
        {
            _asked.Enqueue($"{verb} refused");
            context.Response.StatusCode = StatusCodes.Status403Forbidden;
            return;
        }

        _asked.Enqueue(verb);
        context.Response.ContentType = "application/json";
        if (verb == "watch")
        {
            // Nothing changes while the tests look.
            await context.Response.Body.FlushAsync();
            var gone = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            await using var left = context.RequestAborted.Register(gone.SetResult);
            await gone.Task;
            return;
        }

        await context.Response.WriteAsync(name is null
            ? KubernetesJson.Serialize(new V1PodList { ApiVersion = "v1", Kind = "PodList", Metadata = new(), Items = [.. _pods.Values] })
            : KubernetesJson.Serialize(_pods[name]));
    }

    private static X509Certificate2 Certify(ECDsa key)
    {
        var request = new CertificateRequest("CN=kubernetes", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddIpAddress(IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: true, hasPathLengthConstraint: false, pathLengthConstraint: 0, critical: true));
        var now = TimeProvider.System.GetUtcNow();
        return request.CreateSelfSigned(now.AddHours(-1), now.AddHours(1));
    }
}
