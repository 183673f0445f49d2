using Cerver.Api.Accounts;
using Cerver.Api.Answers;
using Cerver.Api.Calls;

namespace Cerver.Api.Computes;

/// <summary>What there is to run on.</summary>
internal static class ComputeEndpoints
{
    public static void MapComputes(this IEndpointRouteBuilder routes) =>
        routes.MapGet("/v2/computes", List).WithTags("Computes").RequireAuthorization().WithName("listComputes")
            .WithSummary("Lists what the account can run on, and what each that is not ready lacks.")
            .Produces<ComputeListAnswer>();

    private static async Task<JsonAnswer<ComputeListAnswer>> List(
        Caller caller, IClusterClient cluster, GrainCalls calls, CancellationToken cancellationToken)
    {
        var computes = await calls.ReadAsync(caller.Account(cluster), static (account, token) => account.ListComputesAsync(token), cancellationToken);
        var answer = new ComputeListAnswer { Computes = [.. computes.Select(ComputeAnswer.Of)] };
        return JsonAnswer.Of(answer, AnswerJson.Default.ComputeListAnswer);
    }
}
