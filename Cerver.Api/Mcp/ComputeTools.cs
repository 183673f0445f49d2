using Cerver.Api.Answers;
using Cerver.Api.Calls;
using Cerver.Api.Computes;
using Cerver.Computes;
using ModelContextProtocol.Protocol;

namespace Cerver.Api.Mcp;

/// <summary>What there is to run on.</summary>
internal sealed class ComputeTools(IClusterClient cluster, GrainCalls calls)
{
    private const int MaxComputes = 100;
    private const int MaxWords = 20;
    private const string Cut = "[Cerver: these are 100 of your computes, those that are ready first. GET /v2/computes lists all of them.]";

    public async Task<CallToolResult> ListAsync(NoArguments arguments, ToolCall call, CancellationToken cancellationToken)
    {
        var computes = await calls.ReadAsync(call.Caller.Account(cluster), static (account, token) => account.ListComputesAsync(token), cancellationToken);
        var shown = computes.Length <= MaxComputes ? computes : [.. computes.OrderByDescending(static compute => compute.Status == ComputeStatus.Ready).Take(MaxComputes)];
        var answer = new ComputeListAnswer { Computes = [.. shown.Select(Shorten)] };
        return ToolAnswer.Of(answer, AnswerJson.Default.ComputeListAnswer, shown.Length < computes.Length ? Cut : null);
    }

    /// <summary>Without what a machine says beyond the form of the answer, which may be long.</summary>
    private static ComputeAnswer Shorten(ComputeInfo compute)
    {
        var answer = ComputeAnswer.Of(compute);
        var can = answer.Capabilities;
        return answer with
        {
            Capabilities = new() { Runtimes = [.. can.Runtimes.Take(MaxWords)], CliTools = [.. can.CliTools.Take(MaxWords)], Network = can.Network },
        };
    }
}
