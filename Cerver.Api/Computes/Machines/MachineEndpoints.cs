using Cerver.Api.Accounts;
using Cerver.Api.Answers;
using Cerver.Api.Calls;
using Cerver.Api.Requests;
using Cerver.Computes;
using Cerver.Errors;

namespace Cerver.Api.Computes.Machines;

/// <summary>The account's own machines, as they say what they are and that they are there.</summary>
internal static class MachineEndpoints
{
    public static void MapMachines(this IEndpointRouteBuilder routes)
    {
        var computes = routes.MapGroup("/v2/computes").WithTags("Computes").RequireAuthorization();
        computes.MapPost("/register", Register).WithName("registerCompute")
            .WithSummary("Registers a machine of the account's own, or once more with what it says now.")
            .WithDescription(
                $"The machine then dials in to `{MachineChannelEndpoint.Path}` and sends a heartbeat every minute. A registration is kept until it is deleted. An account has at most "
                + "1,000 machines; then it is 409 `conflict`.")
            .Produces<ComputeAnswer>();
        computes.MapPost("/{computeId}/heartbeat", Beat).WithName("heartbeatCompute")
            .WithSummary("Says that a machine is there, and what has changed.")
            .WithDescription("Every minute. A machine that has missed three is `offline` until the next one.")
            .Produces<ComputeAnswer>();
        computes.MapGet("/{computeId}", Get).WithName("getCompute")
            .WithSummary("Tells of one compute, of a machine also what it says of itself.")
            .Produces<ComputeAnswer>();
        computes.MapDelete("/{computeId}", Delete).WithName("deleteCompute")
            .WithSummary("Forgets a machine and ends its connection.")
            .WithDescription("Repeating it is fine. It may be registered again.")
            .Produces<ComputeDeleted>();
    }

    private static async Task<JsonAnswer<ComputeAnswer>> Register(Body<RegisterMachineBody> body, Caller caller, IClusterClient cluster, GrainCalls calls)
    {
        var (computeId, request) = body.Value.Read();
        var registered = await calls.WriteAgainAsync(
            (Machine: caller.Machine(cluster, computeId), request), static call => call.Machine.RegisterAsync(call.request));
        return AnswerOf(registered);
    }

    private static async Task<JsonAnswer<ComputeAnswer>> Beat(
        string computeId, OptionalBody<HeartbeatBody> body, Caller caller, IClusterClient cluster, GrainCalls calls)
    {
        var heartbeat = new MachineHeartbeat(body.Value.Status, body.Value.Capabilities, body.Value.Metadata);
        var heard = await calls.WriteAgainAsync(
            (Machine: caller.Machine(cluster, computeId), heartbeat), static call => call.Machine.HeartbeatAsync(call.heartbeat));
        return AnswerOf(heard);
    }

    private static async Task<JsonAnswer<ComputeAnswer>> Get(
        string computeId, Caller caller, IClusterClient cluster, GrainCalls calls, CancellationToken cancellationToken)
    {
        var found = Ids.IsMachine(computeId)
            ? await calls.ReadAsync(caller.Machine(cluster, computeId), static (machine, token) => machine.DescribeAsync(token), cancellationToken)
            : (await calls.ReadAsync(caller.Account(cluster), static (account, token) => account.ListComputesAsync(token), cancellationToken))
                .FirstOrDefault(compute => compute.ComputeId.Equals(computeId, StringComparison.Ordinal));
        return AnswerOf(found ?? throw Caller.NoCompute());
    }

    private static async Task<JsonAnswer<ComputeDeleted>> Delete(string computeId, Caller caller, IClusterClient cluster, GrainCalls calls)
    {
        var deleted = await calls.WriteAgainAsync(
            (Machine: caller.Machine(cluster, computeId), computeId),
            static async call =>
            {
                await call.Machine.DeleteAsync();
                return call.computeId;
            });
        return JsonAnswer.Of(new ComputeDeleted { ComputeId = deleted }, AnswerJson.Default.ComputeDeleted);
    }

    private static JsonAnswer<ComputeAnswer> AnswerOf(ComputeInfo compute) => JsonAnswer.Of(ComputeAnswer.Of(compute), AnswerJson.Default.ComputeAnswer);
}
