namespace Cerver.Sessions;

/// <summary>A part of a transcript that was written elsewhere, and the session to make of it.</summary>
/// <param name="Session">What the session is. It gets no compute.</param>
/// <param name="Title">What it is called when the name is null; the first line of it, as far as a name may be long.</param>
/// <param name="CreatedAt">When it began; null means now. The future counts as now.</param>
/// <param name="UpdatedAt">When something last happened in it; null means now. The future counts as now.</param>
/// <param name="IsEnded">Whether it is closed for good.</param>
/// <param name="EndReason">Why, or null.</param>
/// <param name="First">The position of the first entry here.</param>
/// <param name="Entries">The entries. What is beyond a limit is cut, and says so.</param>
/// <param name="IsLast">Whether the transcript is whole with these.</param>
[GenerateSerializer, Immutable, Alias("cerver.session.import-part")]
public sealed record ImportPart(
    [property: Id(0)] CreateSession Session,
    [property: Id(1)] string? Title,
    [property: Id(2)] DateTimeOffset? CreatedAt,
    [property: Id(3)] DateTimeOffset? UpdatedAt,
    [property: Id(4)] bool IsEnded,
    [property: Id(5)] string? EndReason,
    [property: Id(6)] long First,
    [property: Id(7)] ImmutableArray<TranscriptEntry> Entries,
    [property: Id(8)] bool IsLast);

/// <summary>How far an import is.</summary>
/// <param name="Session">The session. The next part begins at its total.</param>
/// <param name="IsWhole">Whether all of it is there.</param>
/// <param name="IsNew">Whether it became whole with this part.</param>
[GenerateSerializer, Immutable, Alias("cerver.session.import-progress")]
public sealed record ImportProgress(
    [property: Id(0)] SessionRecord Session,
    [property: Id(1)] bool IsWhole,
    [property: Id(2)] bool IsNew);
