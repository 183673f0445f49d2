using System.Buffers;
using Cerver.Computes;
using Cerver.Errors;

namespace Cerver.Api.Computes;

/// <summary>The words by which callers name compute.</summary>
internal static class ComputeWords
{
    private const string None = "none";
    private const int MaxIdLength = 64;

    private static readonly SearchValues<char> IdCharacters = SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-");

    /// <summary>What a caller who says this word wants, or null when the word is neither a provider nor an id of ours.</summary>
    public static ComputeChoice? Find(string word) => word switch
    {
        None => ComputeChoice.None,
        _ when IsProvider(word) => new(ComputeChoiceKind.Provider, word),
        _ when IsComputeId(word) => new(ComputeChoiceKind.Compute, word),
        _ => null,
    };

    /// <summary>What a caller who says this word in a field wants.</summary>
    /// <exception cref="CerverException"><see cref="CerverError.InvalidRequest"/> for any other word.</exception>
    public static ComputeChoice Parse(string word, string field) =>
        Find(word) ?? throw new CerverException(
            CerverError.InvalidRequest, $"'{field}' must be a provider (local, e2b, vercel, cloudflare) or a compute id from '/v2/computes'.", field);

    /// <summary>A provider's name.</summary>
    /// <exception cref="CerverException"><see cref="CerverError.InvalidRequest"/> for any other word.</exception>
    public static string ParseProvider(string? word, string field) => word is not null && IsProvider(word)
        ? word
        : throw new CerverException(CerverError.InvalidRequest, $"'{field}' must be one of local, e2b, vercel, cloudflare.", field);

    private static bool IsProvider(string word) => word is "local" or "e2b" or "vercel" or "cloudflare";

    private static bool IsComputeId(string word)
    {
        var prefix = word.StartsWith("comp_", StringComparison.Ordinal) ? "comp_".Length
            : word.StartsWith("provider_", StringComparison.Ordinal) ? "provider_".Length
            : 0;
        return prefix > 0 && word.Length > prefix && word.Length <= MaxIdLength && word.AsSpan().IndexOfAnyExcept(IdCharacters) < 0;
    }
}
