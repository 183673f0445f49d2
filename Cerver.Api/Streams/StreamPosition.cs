using Cerver.Api.Requests;
using Cerver.Errors;

namespace Cerver.Api.Streams;

/// <summary>Where a client wants a stream to go on.</summary>
/// <param name="After">The id of the last event that it has seen.</param>
/// <param name="Field">What it said that with.</param>
internal sealed record StreamPosition(long After, string Field)
{
    private static readonly NumberParameter Header =
        new("Last-Event-ID", 0, long.MaxValue, "The id of the last event that was seen; what is after it is sent. Goes before the two in the query.", IsHeader: true);

    private static readonly NumberParameter LastEventId = new("last_event_id", 0, long.MaxValue, "The same as the `Last-Event-ID` header.");
    private static readonly NumberParameter AfterName = new("after", 0, long.MaxValue, "The same as `last_event_id`.");

    /// <summary>What a stream that can be come back to reads beside its path.</summary>
    public static ImmutableArray<RequestParameter> Parameters { get; } = [Header, LastEventId, AfterName];

    /// <summary>
    /// What the request says, or null when it says nothing. A browser that reconnects keeps the address it began with and adds the header,
    /// which is newer.
    /// </summary>
    /// <exception cref="CerverException"><see cref="CerverError.InvalidRequest"/>.</exception>
    public static StreamPosition? Read(HttpRequest request)
    {
        foreach (var parameter in (NumberParameter[])[Header, LastEventId, AfterName])
        {
            if (parameter.Read(request) is { } after)
            {
                return new StreamPosition(after, parameter.Name);
            }
        }

        return null;
    }

    /// <summary>
    /// Refuses a position that the stream has not come to. Whoever is there has it from another stream, and would wait for what it says it
    /// has, or be told of an end that it never saw.
    /// </summary>
    /// <param name="last">The id of the last event there can be by now.</param>
    /// <exception cref="CerverException"><see cref="CerverError.InvalidRequest"/>.</exception>
    public void RequireAtMost(long last)
    {
        if (After > last)
        {
            throw new CerverException(
                CerverError.InvalidRequest, $"'{Field}' is beyond the last event of this stream, {last}; leave it out to begin with the first.", Field);
        }
    }
}
