using Cerver.Api.Calls;
using Cerver.Errors;
using Cerver.Operations;
using Cerver.Runs;
using Cerver.Sessions;

namespace Cerver.Api.Runs;

/// <summary>The beginning of a run, whoever asks for it.</summary>
internal static class RunStarts
{
    /// <summary>Starts a run. It has its id before it starts, so a call that is made again finds the run it began.</summary>
    /// <exception cref="CerverException">Whatever the session refuses.</exception>
    public static Task<Outcome<RunRecord>> StartRunAsync(this GrainCalls calls, ISessionGrain session, StartRun start, Operation? operation, TimeProvider time) =>
        calls.WriteAsync(operation, session, async (session, operation) =>
        {
            try
            {
                return await session.StartRunAsync(start, operation);
            }
            catch (Exception failure) when (CallFailures.Of(failure) is CallFailure.HostAway or CallFailure.NotDelivered)
            {
                // It may be on record as one that did not start, so the next attempt is another run. What an attempt of unknown outcome
                // began has this call's name.
                start = start with { RunId = Ids.NewRun(time) };
                throw;
            }
        });
}
