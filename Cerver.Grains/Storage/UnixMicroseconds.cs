namespace Cerver.Grains.Storage;

/// <summary>Times as the databases keep them: whole microseconds since 1970-01-01T00:00:00Z.</summary>
internal static class UnixMicroseconds
{
    /// <summary>The stored number of a time.</summary>
    public static long From(DateTimeOffset time) => (time.UtcTicks - DateTimeOffset.UnixEpoch.Ticks) / TimeSpan.TicksPerMicrosecond;

    /// <summary>The first number that is not before a time, which may be finer than a microsecond.</summary>
    public static long Ceiling(DateTimeOffset time) => From(time) is var number && To(number) < time ? number + 1 : number;

    /// <summary>The time of a stored number.</summary>
    public static DateTimeOffset To(long microseconds) => DateTimeOffset.UnixEpoch.AddTicks(microseconds * TimeSpan.TicksPerMicrosecond);

    /// <summary>A time as it will be read back.</summary>
    public static DateTimeOffset Round(DateTimeOffset time) => To(From(time));
}
