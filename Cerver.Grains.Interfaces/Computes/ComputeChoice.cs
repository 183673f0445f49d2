namespace Cerver.Computes;

/// <summary>How a caller names compute.</summary>
[GenerateSerializer, Alias("cerver.compute.choice-kind")]
public enum ComputeChoiceKind
{
    /// <summary>Not at all: the first ready one that fits is taken.</summary>
    Any = 0,

    /// <summary>None is wanted.</summary>
    None = 1,

    /// <summary>By the name of a provider, such as <c>local</c>.</summary>
    Provider = 2,

    /// <summary>By a compute's id, such as <c>provider_local</c> or <c>comp_…</c>.</summary>
    Compute = 3,
}

/// <summary>What a caller wants a session to run on.</summary>
/// <param name="Kind">How the caller names it.</param>
/// <param name="Name">The provider or the compute id; null for the other kinds.</param>
[GenerateSerializer, Immutable, Alias("cerver.compute.choice")]
public sealed record ComputeChoice(
    [property: Id(0)] ComputeChoiceKind Kind,
    [property: Id(1)] string? Name = null)
{
    /// <summary>The first ready compute that fits.</summary>
    public static ComputeChoice Any { get; } = new(ComputeChoiceKind.Any);

    /// <summary>No compute.</summary>
    public static ComputeChoice None { get; } = new(ComputeChoiceKind.None);
}
