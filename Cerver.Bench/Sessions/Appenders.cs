using Cerver.Bench.Gateways;
using Cerver.Bench.Load;

namespace Cerver.Bench.Sessions;

/// <summary>Clients that append small entries, each to a session of its own.</summary>
internal static class Appenders
{
    /// <summary>Makes a session for each of them and connects them.</summary>
    public static Task<LoadGenerator> OpenAsync(Gateway gateway, int clients, CancellationToken cancellationToken) =>
        OpenAsync(gateway, clients, Entries.Content, cancellationToken);

    /// <summary>The same with entries of their own.</summary>
    /// <param name="gateway">The gateway.</param>
    /// <param name="clients">How many they are.</param>
    /// <param name="content">What the entries say, without anything that JSON escapes.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public static async Task<LoadGenerator> OpenAsync(Gateway gateway, int clients, string content, CancellationToken cancellationToken)
    {
        var sessions = await gateway.CreateTranscriptsAsync(clients, cancellationToken);
        return await LoadGenerator.OpenAsync(gateway.Endpoint, sessions.Select(session => RequestTo(gateway, session, content)), cancellationToken);
    }

    /// <summary>What appends one entry to a session.</summary>
    public static ReadOnlyMemory<byte> RequestTo(Gateway gateway, string session, string content = Entries.Content) =>
        gateway.Request("POST", $"/v2/sessions/{session}/transcript", Entries.Body(count: 1, content));
}
