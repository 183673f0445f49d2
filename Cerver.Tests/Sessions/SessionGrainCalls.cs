using System.Collections.Immutable;
using Cerver.Sessions;

namespace Cerver.Tests.Sessions;

/// <summary>Calls of a session as tests mostly make them.</summary>
internal static class SessionGrainCalls
{
    /// <summary>Adds entries, whatever came before them.</summary>
    public static async Task<long> AppendAsync(this ISessionGrain session, ImmutableArray<TranscriptEntry> entries) =>
        (await session.AppendAsync(new AppendEntries(entries))).Value;
}
