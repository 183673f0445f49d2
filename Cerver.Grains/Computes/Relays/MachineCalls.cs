using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Cerver.Computes;
using Cerver.Errors;

namespace Cerver.Grains.Computes.Relays;

/// <summary>What a gateway asks of one machine.</summary>
/// <param name="machine">The machine.</param>
/// <param name="computeId">Its id.</param>
internal sealed class MachineCalls(IMachineGrain machine, string computeId)
{
    private const int NotThere = 404;

    private static readonly TimeSpan UsualPatience = TimeSpan.FromSeconds(20);

    /// <summary>A relay gives up on a request after 180 s.</summary>
    private static readonly TimeSpan MaxPatience = TimeSpan.FromSeconds(178);

    /// <summary>Below the time that a start may take as a whole.</summary>
    private static readonly TimeSpan StartPatience = TimeSpan.FromSeconds(10);

    private static readonly ImmutableDictionary<string, string> NoHeaders = ImmutableDictionary<string, string>.Empty;

    /// <summary>What is not the machine's own failure.</summary>
    private static readonly ImmutableArray<CerverError> UsualRefusals = [CerverError.InvalidRequest, CerverError.PayloadTooLarge];

    /// <summary>The machine as it is now.</summary>
    /// <exception cref="CerverException"><see cref="CerverError.ComputeOffline"/> when it is not registered any more.</exception>
    public async Task<ComputeInfo> DescribeAsync(CancellationToken cancellationToken) => await machine.DescribeAsync(cancellationToken) ?? throw NotRegistered();

    /// <summary>Whether there is such a machine, connected or not.</summary>
    public async Task<bool> IsRegisteredAsync() => await machine.DescribeAsync(CancellationToken.None) is not null;

    /// <summary>Makes sure that the machine can be reached.</summary>
    /// <exception cref="CerverException"><see cref="CerverError.ComputeOffline"/>, saying why not.</exception>
    public async Task RequireReachableAsync(CancellationToken cancellationToken)
    {
        var described = await DescribeAsync(cancellationToken);
        if (described.Status != ComputeStatus.Ready)
        {
            throw new CerverException(CerverError.ComputeOffline, $"The machine '{described.Label}' cannot be reached; nothing was changed. {described.Reason}");
        }
    }

    /// <summary>Asks the machine for something, with a body.</summary>
    /// <inheritdoc cref="AskAsync" path="/returns|/exception"/>
    public Task<string?> PostAsync<T>(string path, T body, JsonTypeInfo<T> type, CancellationToken cancellationToken) => AskAsync(Post(path, body, type), UsualRefusals, cancellationToken);

    /// <summary>Asks the machine for something, with a body that also says how the machine reaches the gateway, and waits for as long as a relay may take.</summary>
    /// <inheritdoc cref="AskAsync" path="/returns|/exception"/>
    public Task<string?> IntroduceAsync<T>(string path, T body, JsonTypeInfo<T> type, CancellationToken cancellationToken) =>
        AskAsync(Post(path, body, type) with { Introduces = true, Deadline = MaxPatience }, UsualRefusals, cancellationToken);

    /// <summary>Has the machine start something in a sandbox that must be up. It is not given up on the way, so that what is said of it is true.</summary>
    /// <inheritdoc cref="AskAsync" path="/exception"/>
    /// <exception cref="SandboxDownException">It is not, and nothing was done.</exception>
    /// <exception cref="TimeoutException">Whether it was started is not known: it is no refusal, and whoever sent it again would have it twice.</exception>
    public async Task StartAsync<T>(string path, T body, JsonTypeInfo<T> type, CancellationToken cancellationToken)
    {
        await RequireReachableAsync(cancellationToken);
        MachineAnswer answer;
        try
        {
            answer = await RequestAsync(Post(path, body, type) with { Deadline = StartPatience }, CancellationToken.None);
        }
        catch (CerverException unknown) when (unknown.Code is CerverError.ComputeOffline or CerverError.ProviderUnavailable)
        {
            throw new TimeoutException(unknown.Message, unknown);
        }

        if (RelayAnswers.IsSandboxDown(answer))
        {
            throw new SandboxDownException();
        }

        RelayAnswers.Require(answer, UsualRefusals);
    }

    /// <summary>Asks the machine what there is.</summary>
    /// <inheritdoc cref="AskAsync" path="/returns|/exception"/>
    public Task<string?> GetAsync(string path, CancellationToken cancellationToken) =>
        AskAsync(new MachineRequest("GET", path, NoHeaders, Body: null, UsualPatience), UsualRefusals, cancellationToken);

    /// <summary>Has the machine remove something. What is not there is fine, and what was on one that is not registered any more is gone with it.</summary>
    /// <inheritdoc cref="AskAsync" path="/exception"/>
    public async Task RemoveAsync(string path, CancellationToken cancellationToken)
    {
        try
        {
            var answer = await machine.RequestAsync(new MachineRequest("DELETE", path, NoHeaders, Body: null, UsualPatience), cancellationToken);
            if (answer.Status != NotThere)
            {
                RelayAnswers.Require(answer, UsualRefusals);
            }
        }
        catch (CerverException gone) when (gone.Code == CerverError.NotFound)
        {
            // There is no such machine any more, and nobody to ask.
        }
    }

    /// <summary>Asks the machine for something.</summary>
    /// <param name="request">What.</param>
    /// <param name="refusals">What it may refuse for another reason than that it did not do its part.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>The body of its answer.</returns>
    /// <exception cref="CerverException">The refusal; <see cref="CerverError.ComputeOffline"/> when the machine cannot be reached.</exception>
    public async Task<string?> AskAsync(MachineRequest request, ImmutableArray<CerverError> refusals, CancellationToken cancellationToken) =>
        RelayAnswers.Require(await RequestAsync(request, cancellationToken), refusals);

    /// <summary>Asks the machine for something.</summary>
    /// <returns>Whatever it answers.</returns>
    /// <exception cref="CerverException"><see cref="CerverError.ComputeOffline"/> when the machine cannot be reached.</exception>
    public async Task<MachineAnswer> RequestAsync(MachineRequest request, CancellationToken cancellationToken)
    {
        try
        {
            return await machine.RequestAsync(request, cancellationToken);
        }
        catch (CerverException gone) when (gone.Code == CerverError.NotFound)
        {
            // The machine, and nothing on it.
            throw NotRegistered();
        }
    }

    private static MachineRequest Post<T>(string path, T body, JsonTypeInfo<T> type) => new("POST", path, NoHeaders, JsonSerializer.Serialize(body, type), UsualPatience);

    private CerverException NotRegistered() => new(
        CerverError.ComputeOffline, $"The machine '{computeId}' is not registered any more; nothing was changed. Start its relay again, which registers it, or give the session other compute with POST …/compute, where it begins without its files.");
}
