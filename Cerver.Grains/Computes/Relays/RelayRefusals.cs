using Cerver.Errors;

namespace Cerver.Grains.Computes.Relays;

/// <summary>The words and statuses with which a relay refuses.</summary>
internal static class RelayRefusals
{
    private static readonly ImmutableArray<(CerverError Code, int Status, string Word)> All =
    [
        (CerverError.ProviderUnavailable, 502, "provider_unavailable"),
        (CerverError.InvalidRequest, 400, "invalid_request"),
        (CerverError.NotFound, 404, "not_found"),
        (CerverError.Conflict, 409, "conflict"),
        (CerverError.NoCompute, 409, "no_compute"),
        (CerverError.PayloadTooLarge, 413, "payload_too_large"),
        (CerverError.RateLimited, 429, "rate_limited"),
        (CerverError.HostUnavailable, 503, "host_unavailable"),
    ];

    /// <summary>How a code is said. What there is no word for is a provider that did not do its part.</summary>
    public static (int Status, string Word) Of(CerverError code) =>
        All.Where(known => known.Code == code).Append(All[0]).Select(static known => (known.Status, known.Word)).First();

    /// <summary>The code that a word names. Any other word is a provider that did not do its part.</summary>
    public static CerverError Find(string? word) => All.Where(known => known.Word.Equals(word, StringComparison.Ordinal)).Append(All[0]).Select(static known => known.Code).First();
}
