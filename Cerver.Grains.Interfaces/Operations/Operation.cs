using System.Collections.Immutable;

namespace Cerver.Operations;

/// <summary>A caller's name for one write. A write of the same name is carried out once, however often it is asked for within a day.</summary>
/// <param name="Key">1 to 255 printable ASCII characters, the caller's own, unique in the account.</param>
/// <param name="RequestHash">SHA-256 of what was asked for. The same key with another request is a mistake of the caller.</param>
[GenerateSerializer, Immutable, Alias("cerver.operation")]
public sealed record Operation(
    [property: Id(0)] string Key,
    [property: Id(1)] ImmutableArray<byte> RequestHash);

/// <summary>What a write came to.</summary>
/// <param name="Value">The result; that of the first time when it was asked for before.</param>
/// <param name="IsReplayed">Whether the write was carried out before and only its result is told again.</param>
[GenerateSerializer, Immutable, Alias("cerver.operation.outcome`1")]
public readonly record struct Outcome<T>(
    [property: Id(0)] T Value,
    [property: Id(1)] bool IsReplayed);
