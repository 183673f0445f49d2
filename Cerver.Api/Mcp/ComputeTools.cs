using Cerver.Api.Answers;
using Cerver.Api.Calls;
using Cerver.Api.Computes;
using ModelContextProtocol.Protocol;

namespace Cerver.Api.Mcp;

/// <summary>What there is to run on.</summary>
internal sealed class ComputeTools(IClusterClient cluster, GrainCalls calls)
{
    public async Task<CallToolResult> ListAsync(NoArguments arguments, ToolCall call, CancellationToken cancellationToken)
    {
        var computes = await calls.ReadAsync(call.Caller.Account(cluster), static (account, token) => account.ListComputesAsync(token), cancellationToken);
        var answer = new ComputeListAnswer { Computes = [.. computes.Select(ComputeAnswer.Of)] };
        return ToolAnswer.Of(answer, AnswerJson.Default.ComputeListAnswer);
    }
}
