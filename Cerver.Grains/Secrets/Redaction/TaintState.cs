using Cerver.Secrets;

namespace Cerver.Grains.Secrets.Redaction;

/// <summary>What an account was given, without values, kept for the next start.</summary>
[GenerateSerializer, Alias("cerver.taint.state")]
internal sealed record TaintState
{
    /// <summary>Each secret of each source once.</summary>
    [Id(0)]
    public ImmutableArray<GivenSecret> Given { get; init; } = [];
}

/// <summary>A secret that an account was given.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Source">The source that it came from. Another one may have another secret of the same name.</param>
[GenerateSerializer, Immutable, Alias("cerver.taint.given")]
internal sealed record GivenSecret([property: Id(0)] string Name, [property: Id(1)] string Source)
{
    /// <summary>What there is to know of a secret without its value.</summary>
    public static GivenSecret Of(FetchedSecret secret) => new(secret.Name, secret.Source);
}
