using Microsoft.Extensions.Logging;
using Orleans.Streams;

namespace Cerver.Api.Streams;

/// <summary>A subscription to an Orleans stream, until it is disposed of.</summary>
/// <param name="handle">The subscription.</param>
/// <param name="subject">What is listened to, for the log.</param>
/// <param name="logger">Where trouble is told.</param>
internal sealed partial class StreamSubscription<T>(StreamSubscriptionHandle<T> handle, string subject, ILogger logger) : IAsyncDisposable
{
    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        try
        {
            await handle.UnsubscribeAsync();
        }
#pragma warning disable CA1031 // Nobody listens any more, so whatever was left behind brings its events to nobody.
        catch (Exception failure)
#pragma warning restore CA1031
        {
            LogUnsubscribeFailed(failure, subject);
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "The subscription to {Subject} was left behind")]
    private partial void LogUnsubscribeFailed(Exception failure, string subject);
}
