using Cerver.Bench.Gateways;
using Cerver.Bench.Load;

namespace Cerver.Bench.Runs;

/// <summary>A sandbox in which a program does harm, and does it again as soon as it was ended for that. Somebody watches all that it prints.</summary>
internal sealed class AbusiveNeighbour : IDisposable
{
    private readonly Gateway _gateway;
    private readonly string _session;
    private readonly RunStream _stream;
    private readonly TaskCompletionSource _begun;
    private readonly Task _repeating;
    private volatile bool _isEnding;

    private AbusiveNeighbour(Gateway gateway, string session, Abuse abuse, RunStream stream, TaskCompletionSource begun, CancellationToken cancellationToken)
    {
        _gateway = gateway;
        _session = session;
        _stream = stream;
        _begun = begun;
        _repeating = RepeatAsync(RunStream.Start(gateway, session, abuse.Code, abuse.Runtime), cancellationToken);
    }

    /// <summary>Brings a sandbox up and returns when the program in it has begun.</summary>
    /// <exception cref="BenchException">It did not.</exception>
    public static async Task<AbusiveNeighbour> BeginAsync(Gateway gateway, Abuse abuse, CancellationToken cancellationToken)
    {
        var session = await gateway.CreateSandboxAsync(cancellationToken);
        var begun = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var stream = await RunStream.OpenAsync(gateway, cancellationToken, _ => begun.TrySetResult());
        var neighbour = new AbusiveNeighbour(gateway, session, abuse, stream, begun, cancellationToken);
        try
        {
            await await Task.WhenAny(begun.Task, neighbour._repeating);
        }
        catch
        {
            neighbour.Dispose();
            throw;
        }

        return neighbour;
    }

    /// <summary>Ends the session, and with it everything that it has.</summary>
    /// <exception cref="BenchException">The program could not be started again when it had ended.</exception>
    public async Task EndAsync(CancellationToken cancellationToken)
    {
        using var connection = await HttpConnection.OpenAsync(_gateway.Endpoint, cancellationToken);
        _isEnding = true;
        await connection.ExchangeAsync(_gateway.Request("DELETE", $"/v2/sessions/{_session}"), cancellationToken);
        await _repeating;
    }

    /// <inheritdoc/>
    public void Dispose() => _stream.Dispose();

    private async Task RepeatAsync(ReadOnlyMemory<byte> run, CancellationToken cancellationToken)
    {
        try
        {
            while (!_isEnding)
            {
                await _stream.ReadToEndAsync(run, cancellationToken);
                if (!_begun.Task.IsCompleted)
                {
                    throw new BenchException("A program that was to do harm ended before it had begun.");
                }
            }
        }
        catch (BenchException) when (_isEnding)
        {
            // It was to begin anew when its session had just been ended.
        }
    }
}
