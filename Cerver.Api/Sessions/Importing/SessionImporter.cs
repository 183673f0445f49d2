using Cerver.Api.Accounts;
using Cerver.Api.Calls;
using Cerver.Computes;
using Cerver.Errors;
using Cerver.Sessions;

namespace Cerver.Api.Sessions.Importing;

/// <summary>Makes a session of a file, in parts that each are on disk before the next one is sent.</summary>
/// <remarks>
/// The session's id is made from the account and the content, and the session itself knows how far it is. So one that was cut short goes on where it stopped, and
/// several imports of one file at once add every part once, whichever of them it comes from.
/// </remarks>
internal sealed class SessionImporter(GrainCalls calls)
{
    private const int MaxPartEntries = 500;

    /// <summary>About how much goes into one part. Other sessions' commits wait for no more than that.</summary>
    private const int MaxPartCharacters = 512 * 1_024;

    /// <summary>The default of the gateway for the metadata of a session.</summary>
    private const int MaxMetadataBytes = 64 * 1_024;

    /// <summary>Imports a file, or finds what was imported of it before.</summary>
    /// <returns>The session, and whether this call made it whole.</returns>
    /// <exception cref="CerverException">Whatever the session refuses.</exception>
    public async Task<ImportProgress> ImportAsync(
        IClusterClient cluster, Caller caller, ImportedFile file, string? name, CancellationToken cancellationToken)
    {
        var session = caller.Session(cluster, Ids.OfImport(caller.AccountId, file.ContentHash.AsSpan()));
        var request = RequestOf(file, name);
        var first = 0;
        while (true)
        {
            // It may be made any number of times, as a read may.
            var progress = await calls.ReadAsync(
                (session, Part: PartOf(file.Transcript, request, first)),
                static (call, token) => call.session.ImportAsync(call.Part, token),
                cancellationToken);
            if (progress.IsWhole)
            {
                return progress;
            }

            first = (int)progress.Session.TranscriptTotal;
        }
    }

    private static CreateSession RequestOf(ImportedFile file, string? name) => new(
        name,
        SessionType: "transcript",
        file.Transcript.Task,
        file.Transcript.Workload,
        file.Transcript.Harness,
        ComputeChoice.None,
        AllowedProviders: [],
        file.Transcript.Requirements,
        file.Transcript.MetadataFor(file.Format, MaxMetadataBytes),
        ParentSessionId: null);

    private static ImportPart PartOf(ImportedTranscript transcript, CreateSession session, int first)
    {
        var entries = ImmutableArray.CreateBuilder<TranscriptEntry>();
        var characters = 0;
        for (var next = first; next < transcript.Entries.Count && entries.Count < MaxPartEntries && characters < MaxPartCharacters; next++)
        {
            var entry = transcript.Entries[next];
            characters += (entry.Content?.Length ?? 0) + (entry.ToolInput?.Length ?? 0);
            entries.Add(entry);
        }

        return new(
            session,
            transcript.Title ?? transcript.FirstWords,
            transcript.CreatedAt,
            transcript.UpdatedAt,
            transcript.IsEnded,
            transcript.EndReason,
            first,
            entries.ToImmutable(),
            IsLast: first + entries.Count >= transcript.Entries.Count);
    }
}
