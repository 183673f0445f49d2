namespace Cerver.Grains.Secrets.Redaction;

/// <summary>The names of what an account was given, kept for the next start.</summary>
[GenerateSerializer, Alias("cerver.taint.state")]
internal sealed record TaintState
{
    /// <summary>The names, each once.</summary>
    [Id(0)]
    public ImmutableArray<string> Names { get; init; } = [];
}
