using Cerver.Bench.Gateways;
using Cerver.Bench.Load;

namespace Cerver.Bench.Sessions;

/// <summary>Clients that append small entries, each to a session of its own.</summary>
internal static class Appenders
{
    /// <summary>Makes a session for each of them and connects them.</summary>
    public static async Task<LoadGenerator> OpenAsync(Gateway gateway, int clients, CancellationToken cancellationToken)
    {
        var sessions = await gateway.CreateTranscriptsAsync(clients, cancellationToken);
        return await LoadGenerator.OpenAsync(gateway.Endpoint, sessions.Select(session => RequestTo(gateway, session)), cancellationToken);
    }

    /// <summary>What appends one entry to a session.</summary>
    public static ReadOnlyMemory<byte> RequestTo(Gateway gateway, string session) =>
        gateway.Request("POST", $"/v2/sessions/{session}/transcript", Entries.Body(count: 1));
}
