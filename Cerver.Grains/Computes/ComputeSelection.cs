using Cerver.Computes;
using Cerver.Errors;

namespace Cerver.Grains.Computes;

/// <summary>Which compute a session gets. Pure.</summary>
internal static class ComputeSelection
{
    /// <summary>What a session without compute has for a provider.</summary>
    public const string NoProvider = "none";

    /// <summary>Chooses among the computes of an account.</summary>
    /// <param name="choice">What the caller named; not none.</param>
    /// <param name="requirements">What the session needs.</param>
    /// <param name="requirementsJson">The same as the caller sent it, for the report.</param>
    /// <param name="allowedProviders">The providers that may be chosen; empty means all.</param>
    /// <param name="computes">The account's computes, the preferred first.</param>
    /// <exception cref="CerverException"><see cref="CerverError.NoCompute"/> with what each candidate lacks.</exception>
    public static ComputeInfo Choose(
        ComputeChoice choice,
        ComputeRequirements requirements,
        string? requirementsJson,
        ImmutableArray<string> allowedProviders,
        ImmutableArray<ComputeInfo> computes)
    {
        if (choice.Kind == ComputeChoiceKind.Compute && !computes.Any(compute => compute.ComputeId == choice.Name))
        {
            throw new CerverException(
                CerverError.InvalidRequest, $"'compute' names '{choice.Name}', which is none of the account's. GET /v2/computes lists them.", "compute");
        }

        var candidates = ImmutableArray.CreateBuilder<ComputeCandidate>();
        foreach (var compute in computes.Where(compute => Matches(choice, compute)))
        {
            var reasons = Reasons(compute, requirements, allowedProviders);
            if (reasons.IsEmpty)
            {
                return compute;
            }

            candidates.Add(new(compute.Provider, compute.ComputeId, compute.Status == ComputeStatus.Ready, reasons));
        }

        if (candidates.Count == 0 && choice.Kind == ComputeChoiceKind.Provider)
        {
            candidates.Add(new(choice.Name!, ComputeId: null, Ready: false, [$"This gateway has no provider '{choice.Name}'."]));
        }

        throw new CerverException(
            CerverError.NoCompute,
            candidates is [var only]
                ? $"No compute can take this session: {only.Reasons[0]}"
                : "No compute can take this session; the report says what each one lacks.",
            report: new ComputeReport(requirementsJson, candidates.ToImmutable()));
    }

    private static bool Matches(ComputeChoice choice, ComputeInfo compute) => choice.Kind switch
    {
        ComputeChoiceKind.Provider => compute.Provider == choice.Name,
        ComputeChoiceKind.Compute => compute.ComputeId == choice.Name,
        _ => true,
    };

    private static ImmutableArray<string> Reasons(ComputeInfo compute, ComputeRequirements requirements, ImmutableArray<string> allowedProviders)
    {
        var reasons = ImmutableArray.CreateBuilder<string>();
        if (!allowedProviders.IsEmpty && !allowedProviders.Contains(compute.Provider))
        {
            reasons.Add($"The policy does not allow the provider '{compute.Provider}'.");
        }

        if (compute.Status != ComputeStatus.Ready)
        {
            reasons.Add(compute.Reason ?? "It is not connected.");
        }
        else
        {
            if (!compute.Runtimes.Contains(requirements.Runtime))
            {
                reasons.Add($"It does not have the runtime '{requirements.Runtime.ToString().ToLowerInvariant()}'.");
            }

            if (requirements.Network && !compute.Network)
            {
                reasons.Add("Its sandboxes have no network.");
            }

            var features = (compute.Capabilities ?? ComputeCapabilities.Unknown).Features;
            foreach (var (word, _) in ComputeFeatureWords.All.Where(known => requirements.Features.HasFlag(known.Feature) && !features.HasFlag(known.Feature)))
            {
                reasons.Add($"It does not have the capability '{word}'.");
            }
        }

        return reasons.ToImmutable();
    }
}
