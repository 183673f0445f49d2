using System.Threading.RateLimiting;
using Cerver.Errors;
using Microsoft.Extensions.Options;

namespace Cerver.Api.Sessions.Importing;

/// <summary>Lets few imports at once into memory. Others wait, as many as it is worth waiting behind.</summary>
internal sealed class ImportGate(IOptions<ApiOptions> options) : IDisposable
{
    private const int MaxWaiting = 64;

    private readonly ConcurrencyLimiter _places = new(new ConcurrencyLimiterOptions
    {
        PermitLimit = options.Value.MaxConcurrentImports,
        QueueLimit = MaxWaiting,
        QueueProcessingOrder = QueueProcessingOrder.OldestFirst,
    });

    /// <summary>Waits for a place, which is given back when what this returns is disposed of.</summary>
    /// <exception cref="CerverException"><see cref="CerverError.RateLimited"/>.</exception>
    public async Task<IDisposable> EnterAsync(CancellationToken cancellationToken)
    {
        var place = await _places.AcquireAsync(permitCount: 1, cancellationToken);
        return place.IsAcquired
            ? place
            : throw new CerverException(CerverError.RateLimited, $"{MaxWaiting} imports are waiting already. Send fewer at once, and this one again.");
    }

    /// <inheritdoc/>
    public void Dispose() => _places.Dispose();
}
