using System.Text.Json;
using Cerver.Api.Answers;
using Cerver.Api.Calls;
using Cerver.Api.Computes;
using Cerver.Computes;
using ModelContextProtocol.Protocol;

namespace Cerver.Api.Mcp;

/// <summary>What there is to run on.</summary>
internal sealed class ComputeTools(IClusterClient cluster, GrainCalls calls)
{
    private const int MaxWords = 20;
    private const int MaxWordCharacters = 64;
    private const string Cut = "[Cerver: these are not all of your computes; those that are ready come first. GET /v2/computes lists all of them.]";

    public async Task<CallToolResult> ListAsync(NoArguments arguments, ToolCall call, CancellationToken cancellationToken)
    {
        var computes = await calls.ReadAsync(call.Caller.Account(cluster), static (account, token) => account.ListComputesAsync(token), cancellationToken);
        var shown = Fitting(computes.Select(Shorten).OrderByDescending(static compute => compute.Status == "ready"));
        return ToolAnswer.Of(new ComputeListAnswer { Computes = shown }, AnswerJson.Default.ComputeListAnswer, shown.Length < computes.Length ? Cut : null);
    }

    private static ImmutableArray<ComputeAnswer> Fitting(IEnumerable<ComputeAnswer> computes)
    {
        var bytes = 0;
        return [.. computes.TakeWhile(compute => (bytes += JsonSerializer.SerializeToUtf8Bytes(compute, AnswerJson.Default.ComputeAnswer).Length) <= ToolAnswer.MaxListBytes)];
    }

    /// <summary>Without what a machine says beyond the form of the answer, which may be long.</summary>
    private static ComputeAnswer Shorten(ComputeInfo compute)
    {
        var answer = ComputeAnswer.Of(compute);
        answer.Capabilities.Others.Clear();
        return answer with { Capabilities = answer.Capabilities with { Runtimes = Shorten(answer.Capabilities.Runtimes), CliTools = Shorten(answer.Capabilities.CliTools) } };
    }

    private static ImmutableArray<string> Shorten(ImmutableArray<string> words) => [.. words.Where(static word => word.Length <= MaxWordCharacters).Take(MaxWords)];
}
