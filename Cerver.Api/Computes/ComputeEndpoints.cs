using Cerver.Api.Accounts;
using Cerver.Api.Answers;

namespace Cerver.Api.Computes;

/// <summary>What there is to run on.</summary>
internal static class ComputeEndpoints
{
    public static void MapComputes(this IEndpointRouteBuilder routes) =>
        routes.MapGet("/v2/computes", List).WithTags("Computes").RequireAuthorization().WithName("listComputes")
            .WithSummary("Lists what the account can run on, and what each that is not ready lacks.")
            .Produces<ComputeListAnswer>();

    private static async Task<JsonAnswer<ComputeListAnswer>> List(Caller caller, IClusterClient cluster, CancellationToken cancellationToken)
    {
        var computes = await caller.Account(cluster).ListComputesAsync(cancellationToken);
        var answer = new ComputeListAnswer { Computes = [.. computes.Select(ComputeAnswer.Of)] };
        return JsonAnswer.Of(answer, AnswerJson.Default.ComputeListAnswer);
    }
}
