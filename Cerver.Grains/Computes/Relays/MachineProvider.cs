using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Cerver.Computes;
using Cerver.Errors;

namespace Cerver.Grains.Computes.Relays;

/// <summary>Sandboxes on one machine of an account, on which our own relay runs. They outlive this process, and so do the runs in them.</summary>
/// <param name="machine">The machine.</param>
/// <param name="computeId">Its id.</param>
/// <param name="time">Measures patience.</param>
internal sealed class MachineProvider(IMachineGrain machine, string computeId, TimeProvider time) : IComputeProvider
{
    private const int MaxMessageCharacters = 500;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);
    private static readonly ImmutableDictionary<string, string> NoHeaders = ImmutableDictionary<string, string>.Empty;

    /// <inheritdoc/>
    public string Name => MachineKey.Provider;

    /// <inheritdoc/>
    public ComputeInfo Describe() => throw new NotSupportedException("What a machine can do its own grain says.");

    /// <summary>Brings a sandbox up, or finds that it is up.</summary>
    /// <exception cref="CerverException"><see cref="CerverError.ComputeOffline"/> when the machine cannot be reached, or <see cref="CerverError.ProviderUnavailable"/>.</exception>
    public async Task<ISandbox> OpenAsync(SandboxSpec spec, CancellationToken cancellationToken)
    {
        await PostAsync(RelayPaths.Sandboxes, new OpenRelaySandbox(spec.SandboxId, spec.Network), RelayJson.Default.OpenRelaySandbox, cancellationToken);
        return Attach(spec);
    }

    /// <summary>A sandbox that is up, whoever brought it up.</summary>
    public MachineSandbox Attach(SandboxSpec spec) => new(this, spec, time);

    /// <inheritdoc/>
    public async Task<ImmutableArray<string>> ListAsync(CancellationToken cancellationToken)
    {
        var answer = await RequireAsync(Request("GET", RelayPaths.Sandboxes, body: null), cancellationToken);
        var list = Read(answer, RelayJson.Default.RelaySandboxes);
        return [.. list.Sandboxes.Where(static sandbox => sandbox.Status == RelayWords.ClosedStatus).Select(static sandbox => sandbox.SandboxId)];
    }

    /// <summary>Removes the files: a machine erases them by itself.</summary>
    /// <inheritdoc cref="IComputeProvider.SetAsideAsync" path="/exception"/>
    public Task SetAsideAsync(string sandboxId, CancellationToken cancellationToken) => RemoveAsync(sandboxId, cancellationToken);

    /// <inheritdoc/>
    public Task EraseAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>Ends what runs in a sandbox, also what another process of the gateway began, and removes its files. One of a machine that was deleted is gone with it.</summary>
    /// <inheritdoc cref="IComputeProvider.RemoveAsync" path="/exception"/>
    public async Task RemoveAsync(string sandboxId, CancellationToken cancellationToken)
    {
        try
        {
            await RequireAsync(Request("DELETE", RelayPaths.Sandbox(sandboxId), body: null), cancellationToken);
        }
        catch (CerverException gone) when (gone.Code == CerverError.NotFound)
        {
            // There is no such machine any more, and nobody to ask.
        }
    }

    /// <summary>Whether there is such a machine, connected or not.</summary>
    public async Task<bool> IsRegisteredAsync() => await machine.DescribeAsync(CancellationToken.None) is not null;

    /// <summary>Makes sure that the machine can be reached.</summary>
    /// <exception cref="CerverException"><see cref="CerverError.ComputeOffline"/>, saying why not.</exception>
    public async Task RequireReachableAsync(CancellationToken cancellationToken)
    {
        var described = await machine.DescribeAsync(cancellationToken);
        if (described is not { Status: ComputeStatus.Ready })
        {
            throw new CerverException(
                CerverError.ComputeOffline,
                described is null
                    ? $"The machine '{computeId}' is not registered any more; nothing was changed. Give the session other compute with POST …/compute."
                    : $"The machine '{described.Label}' cannot be reached; nothing was changed. {described.Reason}");
        }
    }

    /// <summary>Asks the machine for something that it answers without saying much.</summary>
    public async Task PostAsync<T>(string path, T body, JsonTypeInfo<T> type, CancellationToken cancellationToken) =>
        await RequireAsync(Request("POST", path, JsonSerializer.Serialize(body, type)), cancellationToken);

    private static MachineRequest Request(string method, string path, string? body) => new(method, path, NoHeaders, body, Patience);

    private async Task<string?> RequireAsync(MachineRequest request, CancellationToken cancellationToken)
    {
        var answer = await machine.RequestAsync(request, cancellationToken);
        return answer.Status is >= 200 and < 300 ? answer.Body : throw Refusal(answer);
    }

    private static T Read<T>(string? body, JsonTypeInfo<T> type)
    {
        try
        {
            return (body is null ? default : JsonSerializer.Deserialize(body, type)) ?? throw Unreadable();
        }
        catch (JsonException)
        {
            throw Unreadable();
        }
    }

    private static CerverException Unreadable() => new(CerverError.ProviderUnavailable, "The machine answered with something that its gateway does not understand.");

    private static CerverException Refusal(MachineAnswer answer)
    {
        RelayRefusal? refusal = null;
        try
        {
            refusal = answer.Body is null ? null : JsonSerializer.Deserialize(answer.Body, RelayJson.Default.RelayRefusal);
        }
        catch (JsonException)
        {
            // Another relay than ours says it in other words.
        }

        var message = refusal?.Message is { Length: > 0 and <= MaxMessageCharacters } said ? said : $"The machine answered with {answer.Status}.";
        return new CerverException(
            refusal?.Error switch
            {
                "invalid_request" => CerverError.InvalidRequest,
                "payload_too_large" => CerverError.PayloadTooLarge,
                _ => CerverError.ProviderUnavailable,
            },
            message);
    }
}
