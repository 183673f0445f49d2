using Cerver.Computes;
using Cerver.Errors;
using Cerver.Operations;
using Cerver.Runs;
using Orleans.Concurrency;

namespace Cerver.Sessions;

/// <summary>One session: the only writer of its record, its transcript and which runs are going.</summary>
/// <remarks>
/// Keyed by <see cref="SessionKey"/>. What a call changed is on disk when its task completes. Every refusal is a
/// <see cref="CerverException"/>; <see cref="CerverError.Fenced"/> means that nothing was changed and the call may be repeated at once.
/// A write that carries an operation is recorded in the transaction of its effect and not carried out again;
/// <see cref="CerverError.IdempotencyMismatch"/> when its key stands for another request. What was refused is not recorded, but for an input that may have been heard all the same.
/// </remarks>
[Alias("cerver.session"), GrainInterfaceType("cerver.session")]
public interface ISessionGrain : IGrainWithStringKey
{
    /// <summary>Creates the session and, unless it only holds a transcript, its sandbox.</summary>
    /// <exception cref="CerverException">
    /// <see cref="CerverError.NoCompute"/>, <see cref="CerverError.InvalidRequest"/>, <see cref="CerverError.Conflict"/> when it exists.
    /// </exception>
    [Alias("create")]
    Task<Outcome<SessionRecord>> CreateAsync(CreateSession request, Operation? operation = null, CancellationToken cancellationToken = default);

    /// <summary>
    /// Adds the next part of a transcript that was written elsewhere; the first one makes the session. Only the part that begins where the transcript ends is
    /// added, and none when the session is whole, so it may be called any number of times, also by several at once.
    /// </summary>
    /// <exception cref="CerverException">
    /// <see cref="CerverError.PayloadTooLarge"/>, <see cref="CerverError.InvalidRequest"/>; <see cref="CerverError.Conflict"/> when the session was erased
    /// before the part came; <see cref="CerverError.StorageUnavailable"/> while rows of a session that was erased are still there.
    /// </exception>
    [Alias("import")]
    Task<ImportProgress> ImportAsync(ImportPart part, CancellationToken cancellationToken = default);

    /// <summary>Changes the name or the metadata.</summary>
    [Alias("update")]
    Task<Outcome<SessionRecord>> UpdateAsync(UpdateSession request, Operation? operation = null, CancellationToken cancellationToken = default);

    /// <summary>Adds entries to the end of the transcript: all of them, in order, or none.</summary>
    /// <returns>How many entries the transcript has then.</returns>
    /// <exception cref="CerverException">
    /// <see cref="CerverError.SessionEnded"/>, <see cref="CerverError.PayloadTooLarge"/>, <see cref="CerverError.InvalidRequest"/>;
    /// <see cref="CerverError.Conflict"/> with <see cref="CerverException.TranscriptTotal"/> when the transcript has another length than
    /// expected.
    /// </exception>
    [Alias("append")]
    Task<Outcome<long>> AppendAsync(AppendEntries request, Operation? operation = null, CancellationToken cancellationToken = default);

    /// <summary>Adds one entry, resumes the session if it is idle and has compute, and tells the agent that a machine drives for it.</summary>
    /// <exception cref="CerverException">Also when the entry was added and the agent may not have heard it, which the sentence says then.</exception>
    [Alias("input"), ResponseTimeout("00:00:20")]
    Task<Outcome<SessionRecord>> InputAsync(TranscriptEntry entry, Operation? operation = null, CancellationToken cancellationToken = default);

    /// <summary>Brings the compute up again; with a choice, other compute than before. Repeating it is fine.</summary>
    /// <exception cref="CerverException">
    /// <see cref="CerverError.NotResumable"/> for a session that ended or that only holds a transcript.
    /// </exception>
    [Alias("resume")]
    Task<Outcome<SessionRecord>> ResumeAsync(ComputeChoice? compute, Operation? operation = null, CancellationToken cancellationToken = default);

    /// <summary>Takes what a relay says of the agent that it drives for the session. Of a session that no machine drives an agent for only an end counts.</summary>
    /// <exception cref="CerverException"><see cref="CerverError.SessionEnded"/>, <see cref="CerverError.InvalidRequest"/>.</exception>
    [Alias("report-status")]
    Task<Outcome<SessionRecord>> ReportStatusAsync(ReportStatus report, Operation? operation = null, CancellationToken cancellationToken = default);

    /// <summary>Ends what runs and releases the compute; the session and its files stay. Repeating it is fine.</summary>
    [Alias("pause")]
    Task<Outcome<SessionRecord>> PauseAsync(Operation? operation = null, CancellationToken cancellationToken = default);

    /// <summary>Puts other compute under the session, or none. Files of the old sandbox are removed.</summary>
    [Alias("change-compute")]
    Task<Outcome<SessionRecord>> ChangeComputeAsync(ComputeChoice compute, Operation? operation = null, CancellationToken cancellationToken = default);

    /// <summary>Ends the session for good: runs stopped, compute and files released. Repeating it is fine.</summary>
    /// <param name="purge">Whether to erase the record, the transcript and every run's output too.</param>
    /// <param name="operation">The caller's name for the call, or null.</param>
    /// <param name="cancellationToken">Asks to give up; what is done stays done.</param>
    /// <returns>Always <see cref="SessionStatus.Ended"/>.</returns>
    /// <remarks>Erasing gigabytes takes its time. A caller who does not wait for it need not: it goes on.</remarks>
    [Alias("end"), ResponseTimeout("00:10:00")]
    Task<Outcome<SessionStatus>> EndAsync(bool purge, Operation? operation = null, CancellationToken cancellationToken = default);

    /// <summary>
    /// Starts code in the session's sandbox, which comes up if it is not. The run's row and its transcript entry are on disk then.
    /// </summary>
    /// <exception cref="CerverException">
    /// <see cref="CerverError.NoCompute"/>, <see cref="CerverError.SessionEnded"/>, <see cref="CerverError.RateLimited"/>.
    /// </exception>
    [Alias("start-run")]
    Task<Outcome<RunRecord>> StartRunAsync(StartRun request, Operation? operation = null, CancellationToken cancellationToken = default);

    /// <summary>Records how a run ended, as its sandbox reports it. Repeating it is fine.</summary>
    [Alias("complete-run")]
    Task CompleteRunAsync(RunEnd ended, CancellationToken cancellationToken = default);

    /// <summary>Hears that the sandbox went down without being asked to. A sandbox that is no longer the session's is ignored.</summary>
    [Alias("sandbox-lost")]
    Task SandboxLostAsync(string sandboxId, CancellationToken cancellationToken = default);

    /// <summary>Waits for something new in the session: entries, a status, output of its runs.</summary>
    /// <param name="known">What the last call returned, 0 at first.</param>
    /// <param name="atMost">How long to wait; more than five seconds count as five.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>
    /// A number to call with again. When it is another than <paramref name="known"/> there may be something new; whatever was committed
    /// before this returned is found by a read that begins after.
    /// </returns>
    [Alias("wait"), AlwaysInterleave]
    Task<long> WaitAsync(long known, TimeSpan atMost, CancellationToken cancellationToken = default);

    /// <summary>Hears that output of one of its runs was recorded. A hint for those who wait; nothing is lost when it is.</summary>
    [Alias("output-recorded"), AlwaysInterleave, OneWay]
    Task OutputRecordedAsync(CancellationToken cancellationToken = default);

    /// <summary>
    /// Hears that a sandbox has been up for a while. It is suspended and the session set idle when nothing has happened in the session for
    /// its time-out, and released when it is not the session's. Runs that the session takes for going and the sandbox does not know are
    /// closed as lost, once they are too old to be about to start. Nothing that happens to the record here counts as activity.
    /// </summary>
    /// <param name="sandboxId">The sandbox.</param>
    /// <param name="going">
    /// The ids of its runs that are going on or whose end the session was not told yet, at most as many as a session may have at once.
    /// </param>
    /// <param name="cancellationToken">Asks to give up; what is done stays done.</param>
    /// <returns>After how long to ask again if nothing happens; zero when the sandbox has been taken down.</returns>
    [Alias("check-idle")]
    Task<TimeSpan> CheckIdleAsync(string sandboxId, ImmutableArray<string> going, CancellationToken cancellationToken = default);

    /// <summary>The sandbox that has the session's files, whether it is up or not.</summary>
    /// <exception cref="CerverException"><see cref="CerverError.SessionEnded"/>; <see cref="CerverError.NoCompute"/> when it only holds a transcript.</exception>
    [Alias("sandbox"), AlwaysInterleave]
    Task<string> GetSandboxAsync(CancellationToken cancellationToken = default);

    /// <summary>Hears that its files are about to change. It counts as activity: the files are kept for the retention from then on. Repeating it is fine.</summary>
    /// <param name="sandboxId">The sandbox that is about to get them.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="CerverException">
    /// <see cref="CerverError.SessionEnded"/>; <see cref="CerverError.NoCompute"/> when it only holds a transcript; <see cref="CerverError.Conflict"/> when it has
    /// another sandbox.
    /// </exception>
    [Alias("touch-files")]
    Task TouchFilesAsync(string sandboxId, CancellationToken cancellationToken = default);
}
