using Cerver.Api.Accounts;
using Cerver.Api.Answers;
using Cerver.Api.Calls;
using Cerver.Api.Secrets;
using Cerver.Secrets;
using ModelContextProtocol.Protocol;

namespace Cerver.Api.Mcp;

/// <summary>What the operator keeps for the account's agents.</summary>
internal sealed class SecretTools(IClusterClient cluster, GrainCalls calls)
{
    public async Task<CallToolResult> FetchAsync(SecretArguments arguments, ToolCall call, CancellationToken cancellationToken)
    {
        var wanted = new FetchSecret(arguments.Name!, arguments.SessionId, call.Caller.Key);
        var fetched = await calls.ReadOutsideAsync(
            (Secrets: call.Caller.Secrets(cluster), wanted), static (asked, token) => asked.Secrets.FetchAsync(asked.wanted, token), cancellationToken);
        return ToolAnswer.Of(SecretAnswer.Of(fetched), AnswerJson.Default.SecretAnswer);
    }
}
