using Cerver.Upkeep;
using Microsoft.Extensions.Logging;

namespace Cerver.Grains.Upkeep;

/// <inheritdoc cref="IUpkeepGrain"/>
[GrainType("upkeep")]
internal sealed partial class UpkeepGrain(IEnumerable<IUpkeep> pieces, TimeProvider time, ILogger<UpkeepGrain> logger) : Grain, IUpkeepGrain, IRemindable
{
    private const string Reminder = "upkeep";

    private static readonly TimeSpan Period = TimeSpan.FromHours(1);

    /// <summary>One piece that hangs must not keep the others from being done.</summary>
    private static readonly TimeSpan PieceLimit = TimeSpan.FromMinutes(10);

    /// <inheritdoc/>
    public async Task BeginAsync(CancellationToken cancellationToken)
    {
        // One that is registered goes on: a gateway that is started often would put it off each time.
        if (await this.GetReminder(Reminder, cancellationToken) is null)
        {
            await this.RegisterOrUpdateReminder(Reminder, Period, Period, cancellationToken);
        }
    }

    /// <inheritdoc/>
    public Task ReceiveReminder(string reminderName, TickStatus status) => RunAsync(CancellationToken.None);

    /// <inheritdoc/>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        foreach (var piece in pieces)
        {
            using var limit = new CancellationTokenSource(PieceLimit, time);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
            try
            {
                await piece.RunAsync(either.Token);
            }
#pragma warning disable CA1031 // Whatever goes wrong in one piece, the next one is to be done.
            catch (Exception failure) when (!cancellationToken.IsCancellationRequested)
#pragma warning restore CA1031
            {
                LogFailed(failure, piece.GetType().Name);
            }
        }
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "The upkeep {Piece} failed; it will be tried again in an hour")]
    private partial void LogFailed(Exception failure, string piece);
}
