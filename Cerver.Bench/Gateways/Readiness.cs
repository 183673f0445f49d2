using System.Net;
using System.Net.Sockets;
using Cerver.Bench.Load;

namespace Cerver.Bench.Gateways;

/// <summary>Asks servers whether they are ready.</summary>
internal static class Readiness
{
    private static readonly TimeSpan AnswerTimeout = TimeSpan.FromSeconds(5);

    /// <summary>Whether <c>/readyz</c> answers 200 now.</summary>
    public static async Task<bool> AskAsync(IPEndPoint endpoint, CancellationToken cancellationToken)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(AnswerTimeout);
        try
        {
            using var connection = await HttpConnection.OpenAsync(endpoint, patience.Token);
            var request = Gateway.At(endpoint, token: "none").Request("GET", "/readyz");
            return await connection.SendAsync(request, patience.Token) == (int)HttpStatusCode.OK;
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return false;
        }
        catch (Exception broken) when (broken is SocketException or BenchException)
        {
            // Nobody listens, or it ended in the middle of its answer.
            return false;
        }
    }
}
