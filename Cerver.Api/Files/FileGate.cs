using System.Threading.RateLimiting;
using Cerver.Errors;

namespace Cerver.Api.Files;

/// <summary>Lets an account send and read so many files at once. Each has a part of it in memory for as long as its caller is slow.</summary>
internal sealed class FileGate : IDisposable
{
    private const int MaxAtOnce = 16;
    private const int MaxWaiting = 64;

    private readonly PartitionedRateLimiter<string> _places = PartitionedRateLimiter.Create<string, string>(static accountId =>
        RateLimitPartition.GetConcurrencyLimiter(accountId, static _ => new ConcurrencyLimiterOptions
        {
            PermitLimit = MaxAtOnce,
            QueueLimit = MaxWaiting,
            QueueProcessingOrder = QueueProcessingOrder.OldestFirst,
        }), StringComparer.Ordinal);

    /// <summary>Waits for a place, which is given back when what this returns is disposed of.</summary>
    /// <exception cref="CerverException"><see cref="CerverError.RateLimited"/>.</exception>
    public async Task<IDisposable> EnterAsync(string accountId, CancellationToken cancellationToken)
    {
        var place = await _places.AcquireAsync(accountId, permitCount: 1, cancellationToken);
        return place.IsAcquired
            ? place
            : throw new CerverException(CerverError.RateLimited, $"{MaxWaiting} files are waiting already to be sent or read. Ask for fewer at once, and for this one again.");
    }

    /// <inheritdoc/>
    public void Dispose() => _places.Dispose();
}
