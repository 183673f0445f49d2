using System.Buffers.Binary;
using System.Collections.Immutable;

namespace Cerver.Operations;

/// <summary>A name for one write. A write of the same name is carried out once, however often it is asked for within a day.</summary>
/// <param name="Key">
/// Unique in the account. A caller's own is the SHA-256 of what it sent, in hexadecimal digits; one that the Api made begins with another character, so
/// no caller can send it.
/// </param>
/// <param name="RequestHash">
/// SHA-256 of what was asked for. The same key with another request is a mistake of the caller. Empty when the Api made the key: it is made
/// for one request.
/// </param>
/// <param name="IsOwn">Whether the Api made the name itself, because the caller sent none.</param>
/// <param name="IsRepetition">Whether the Api has made this very call before and does not know what became of it.</param>
[GenerateSerializer, Immutable, Alias("cerver.operation")]
public sealed record Operation(
    [property: Id(0)] string Key,
    [property: Id(1)] ImmutableArray<byte> RequestHash,
    [property: Id(2)] bool IsOwn = false,
    [property: Id(3)] bool IsRepetition = false)
{
    /// <summary>No hexadecimal digit, and a character that every database keeps in a text.</summary>
    private const string OwnPrefix = "§";

    /// <summary>
    /// The Api makes a call again when it has waited for seconds, so a first call that comes later than this may be one that lay in a
    /// machine that hung, and have been made again and carried out elsewhere since.
    /// </summary>
    private static readonly TimeSpan LateAfter = TimeSpan.FromSeconds(2);

    /// <summary>The UUID that the Api made, or null when the name is a caller's.</summary>
    public Guid? OwnId => IsOwn ? Guid.ParseExact(Key.AsSpan(OwnPrefix.Length), "N") : null;

    /// <summary>A new name for a write that its caller gave none.</summary>
    /// <param name="now">The time, which becomes a part of it.</param>
    public static Operation New(DateTimeOffset now) => new($"{OwnPrefix}{Guid.CreateVersion7(now):n}", [], IsOwn: true);

    /// <summary>
    /// Whether the write may have been carried out before, so that it must be looked up. A caller's always may; one that the Api named only
    /// when it is a repetition or comes late.
    /// </summary>
    /// <param name="now">
    /// The time. Clocks that differ by seconds cost a look, and miss only a call that lay that long in a machine that hung.
    /// </param>
    public bool MayBeKnown(DateTimeOffset now) => IsRepetition || OwnId is not { } id || now - MadeAt(id) > LateAfter;

    /// <summary>The first 48 bits of such a UUID are the milliseconds since 1970.</summary>
    private static DateTimeOffset MadeAt(Guid id) =>
        DateTimeOffset.FromUnixTimeMilliseconds(BinaryPrimitives.ReadInt64BigEndian(id.ToByteArray(bigEndian: true)) >> 16);
}

/// <summary>What a write came to.</summary>
/// <param name="Value">The result; that of the first time when it was asked for before.</param>
/// <param name="IsReplayed">Whether the write was carried out before and only its result is told again.</param>
[GenerateSerializer, Immutable, Alias("cerver.operation.outcome`1")]
public readonly record struct Outcome<T>(
    [property: Id(0)] T Value,
    [property: Id(1)] bool IsReplayed);
