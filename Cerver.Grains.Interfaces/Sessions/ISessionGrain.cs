using Cerver.Computes;
using Cerver.Errors;
using Cerver.Runs;

namespace Cerver.Sessions;

/// <summary>One session: the only writer of its record, its transcript and which runs are going.</summary>
/// <remarks>
/// Keyed by <see cref="SessionKey"/>. What a call changed is on disk when its task completes. Every refusal is a
/// <see cref="CerverException"/>; <see cref="CerverError.Fenced"/> means that nothing was changed and the call may be repeated at once.
/// </remarks>
[Alias("cerver.session"), GrainInterfaceType("cerver.session")]
public interface ISessionGrain : IGrainWithStringKey
{
    /// <summary>Creates the session and, unless it only holds a transcript, its sandbox.</summary>
    /// <exception cref="CerverException"><see cref="CerverError.NoCompute"/>, <see cref="CerverError.InvalidRequest"/>, <see cref="CerverError.Conflict"/> when it exists.</exception>
    [Alias("create")]
    Task<SessionRecord> CreateAsync(CreateSession request, CancellationToken cancellationToken = default);

    /// <summary>Changes the name or the metadata.</summary>
    [Alias("update")]
    Task<SessionRecord> UpdateAsync(UpdateSession request, CancellationToken cancellationToken = default);

    /// <summary>Adds entries to the end of the transcript: all of them, in order, or none.</summary>
    /// <returns>How many entries the transcript has now.</returns>
    /// <exception cref="CerverException"><see cref="CerverError.SessionEnded"/>, <see cref="CerverError.PayloadTooLarge"/>, <see cref="CerverError.InvalidRequest"/>.</exception>
    [Alias("append")]
    Task<long> AppendAsync(ImmutableArray<TranscriptEntry> entries, CancellationToken cancellationToken = default);

    /// <summary>Adds one entry and resumes the session if it is idle and has compute.</summary>
    [Alias("input")]
    Task<SessionRecord> InputAsync(TranscriptEntry entry, CancellationToken cancellationToken = default);

    /// <summary>Brings the compute up again; with a choice, other compute than before. Repeating it is fine.</summary>
    /// <exception cref="CerverException"><see cref="CerverError.NotResumable"/> for a session that ended or that only holds a transcript.</exception>
    [Alias("resume")]
    Task<SessionRecord> ResumeAsync(ComputeChoice? compute, CancellationToken cancellationToken = default);

    /// <summary>Ends what runs and releases the compute; the session and its files stay. Repeating it is fine.</summary>
    [Alias("pause")]
    Task<SessionRecord> PauseAsync(CancellationToken cancellationToken = default);

    /// <summary>Puts other compute under the session, or none. Files of the old sandbox are removed.</summary>
    [Alias("change-compute")]
    Task<SessionRecord> ChangeComputeAsync(ComputeChoice compute, CancellationToken cancellationToken = default);

    /// <summary>Ends the session for good: runs stopped, compute and files released. Repeating it is fine.</summary>
    /// <param name="purge">Whether to erase the record, the transcript and every run's output too.</param>
    /// <param name="cancellationToken">Asks to give up; what is done stays done.</param>
    /// <remarks>Erasing gigabytes takes its time. A caller who does not wait for it need not: it goes on.</remarks>
    [Alias("end"), ResponseTimeout("00:10:00")]
    Task EndAsync(bool purge, CancellationToken cancellationToken = default);

    /// <summary>Starts code in the session's sandbox, which comes up if it is not. The run's row and its transcript entry are on disk then.</summary>
    /// <exception cref="CerverException"><see cref="CerverError.NoCompute"/>, <see cref="CerverError.SessionEnded"/>, <see cref="CerverError.RateLimited"/>.</exception>
    [Alias("start-run")]
    Task<RunRecord> StartRunAsync(StartRun request, CancellationToken cancellationToken = default);

    /// <summary>Records how a run ended, as its sandbox reports it. Repeating it is fine.</summary>
    [Alias("complete-run")]
    Task CompleteRunAsync(RunEnd ended, CancellationToken cancellationToken = default);

    /// <summary>Hears that the sandbox went down without being asked to. A sandbox that is no longer the session's is ignored.</summary>
    [Alias("sandbox-lost")]
    Task SandboxLostAsync(string sandboxId, CancellationToken cancellationToken = default);

    /// <summary>
    /// Hears that a sandbox has been up for a while. It is suspended and the session set idle when nothing has happened in the session for its time-out,
    /// and released when it is not the session's. Nothing that happens to the record here counts as activity.
    /// </summary>
    /// <returns>After how long to ask again if nothing happens; zero when the sandbox has been taken down.</returns>
    [Alias("check-idle")]
    Task<TimeSpan> CheckIdleAsync(string sandboxId, CancellationToken cancellationToken = default);
}
