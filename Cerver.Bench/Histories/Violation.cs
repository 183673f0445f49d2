namespace Cerver.Bench.Histories;

/// <summary>Something that the gateway promised and did not keep.</summary>
/// <param name="Rule">The promise.</param>
/// <param name="Sentence">What happened, for a person.</param>
internal sealed record Violation(Rule Rule, string Sentence)
{
    /// <inheritdoc/>
    public override string ToString() => $"{Rule}: {Sentence}";
}

/// <summary>The invariants of the log.</summary>
internal enum Rule
{
    /// <summary>What was acknowledged is there.</summary>
    AcknowledgedIsKept = 1,

    /// <summary>What is there was sent by somebody.</summary>
    NothingUnsent = 2,

    /// <summary>What was refused is not there.</summary>
    RefusedIsAbsent = 3,

    /// <summary>Nothing is there twice.</summary>
    NothingTwice = 4,

    /// <summary>Requests with the same key have one effect and one answer.</summary>
    KeyHasOneEffect = 5,

    /// <summary>The entries of a request are there all together, in order, or not at all.</summary>
    RequestIsWhole = 6,

    /// <summary>What a writer sent first comes first.</summary>
    WriterOrder = 7,

    /// <summary>What was answered before something else was sent comes before it, whoever sent it.</summary>
    AnsweredOrder = 8,

    /// <summary>Positions are dense and what was acknowledged is at the position that the answer gave.</summary>
    PositionsAreDense = 9,

    /// <summary>Every page ever read is a part of the final log.</summary>
    PagesAreSlices = 10,

    /// <summary>A read after an acknowledgement, or after another read, includes what that had.</summary>
    ReadsSeeAcknowledged = 11,

    /// <summary>What a watcher collected over all its reconnects is one contiguous part of the stream, byte for byte.</summary>
    WatchersAreSlices = 12,

    /// <summary>Every watcher comes to the end.</summary>
    WatchersEnd = 13,

    /// <summary>A run's stream is dense, has the output of its program and one end.</summary>
    RunsAreWhole = 14,

    /// <summary>A run is lost to a fault only, and to none of those that nobody shall notice.</summary>
    RunsAreNotLost = 15,

    /// <summary>A session's stream tells the entries and the runs that the session has.</summary>
    StreamsTellTheLog = 16,

    /// <summary>After a fault every session takes appends in time.</summary>
    RecoversInTime = 17,

    /// <summary>Every source says the same.</summary>
    SameEverywhere = 18,

    /// <summary>When all is over nothing is running.</summary>
    NothingRuns = 19,

    /// <summary>Nobody meets a failure but through a fault that is one: a silo that is asked to stop is none.</summary>
    FailsByFaultsOnly = 20,

    /// <summary>A run that is lost is closed in time, whether the process comes back that had its sandbox or not.</summary>
    LostRunsAreClosed = 21,

    /// <summary>The stream of an account tells changes in their order, none twice, and of every session the last one.</summary>
    AccountIsTold = 22,
}
