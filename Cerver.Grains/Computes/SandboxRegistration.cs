using Cerver.Errors;
using Microsoft.Extensions.Logging;

namespace Cerver.Grains.Computes;

/// <summary>What is stored of one sandbox, from its first attachment to its release, and the reminder that looks after its files. Writes come one after the other.</summary>
/// <param name="state">What is stored.</param>
/// <param name="grain">The sandbox's grain. When a write fails it leaves: the next call starts from what is stored.</param>
/// <param name="leave">Has it leave.</param>
/// <param name="sandboxId">The sandbox.</param>
/// <param name="retention">How long files are kept.</param>
/// <param name="time">The clock.</param>
/// <param name="logger">Where trouble is told.</param>
internal sealed partial class SandboxRegistration(
    IPersistentState<ComputeState> state, IGrainBase grain, Action leave, string sandboxId, TimeSpan retention, TimeProvider time, ILogger logger) : IDisposable
{
    /// <summary>The reminder. It is only an alarm: what is on disk says whether the files go.</summary>
    private const string FilesReminder = "files";

    private static readonly TimeSpan MaxPeriod = TimeSpan.FromHours(1);

    private readonly SemaphoreSlim _writing = new(1);
    private bool _isInDoubt;

    /// <summary>Whether there is such a sandbox.</summary>
    public bool Exists => state.RecordExists;

    /// <summary>What it is.</summary>
    public ComputeState State => state.State;

    /// <summary>How often the reminder ticks when nothing else is asked for.</summary>
    public TimeSpan Period => retention < MaxPeriod ? retention : MaxPeriod;

    /// <summary>Registers the sandbox.</summary>
    /// <exception cref="CerverException"><see cref="CerverError.StorageUnavailable"/>.</exception>
    public async Task RegisterAsync(ComputeState wanted, CancellationToken cancellationToken)
    {
        // The reminder first: it finds whatever a crash leaves half done from here on.
        await StoreAsync(() => RemindAsync(wanted.ComputeId is null ? retention : Period));
        await StoreAsync(() =>
        {
            state.State = wanted;
            return state.WriteStateAsync(cancellationToken);
        });
    }

    /// <summary>Forgets the sandbox, also one whose attachment came no further than its reminder.</summary>
    /// <exception cref="CerverException"><see cref="CerverError.StorageUnavailable"/>.</exception>
    public async Task ForgetAsync(CancellationToken cancellationToken)
    {
        if (state.RecordExists)
        {
            await StoreAsync(() => state.ClearStateAsync(cancellationToken));
        }

        await StoreAsync(ForgetReminderAsync);
    }

    /// <summary>Has the reminder tick.</summary>
    public Task RemindAsync(TimeSpan after) => grain.RegisterOrUpdateReminder(FilesReminder, after, Period);

    /// <summary>Has it tick no more.</summary>
    public async Task ForgetReminderAsync()
    {
        if (await grain.GetReminder(FilesReminder) is { } reminder)
        {
            await grain.UnregisterReminder(reminder);
        }
    }

    /// <summary>
    /// Notes that the sandbox goes down, before it does: when this fails, the sandbox is up as its session says, with all that runs in it, and the
    /// next attempt starts from what is stored.
    /// </summary>
    /// <param name="isSo">Whether it still does when it is this one's turn to write.</param>
    /// <exception cref="CerverException"><see cref="CerverError.StorageUnavailable"/>.</exception>
    public async Task NoteDownAsync(Func<bool> isSo)
    {
        await _writing.WaitAsync();
        var before = state.State;
        try
        {
            if (!state.RecordExists || !isSo())
            {
                return;
            }

            if (_isInDoubt)
            {
                await state.ReadStateAsync(CancellationToken.None);
                before = state.State;
            }

            _isInDoubt = true;
            state.State = before with { DownSince = time.GetUtcNow() };
            await state.WriteStateAsync(CancellationToken.None);
            _isInDoubt = false;
        }
        catch (Exception failure)
        {
            state.State = before;
            LogFailed(failure, sandboxId);
            throw new CerverException(CerverError.StorageUnavailable, "That the sandbox goes down could not be stored, so it is still up. Try again later.");
        }
        finally
        {
            _writing.Release();
        }
    }

    /// <summary>Changes what is stored, unless it is like that already.</summary>
    /// <exception cref="CerverException"><see cref="CerverError.StorageUnavailable"/>.</exception>
    public async Task ChangeAsync(Func<ComputeState, ComputeState> change)
    {
        if (state.State != change(state.State))
        {
            await StoreAsync(async () =>
            {
                var before = state.State;
                try
                {
                    state.State = change(before);
                    await state.WriteStateAsync(CancellationToken.None);
                }
                catch
                {
                    state.State = before;
                    throw;
                }
            });
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _writing.Dispose();

    private async Task StoreAsync(Func<Task> write)
    {
        await _writing.WaitAsync();
        try
        {
            await write();
        }
        catch (Exception failure) when (failure is not OperationCanceledException)
        {
            leave();
            LogFailed(failure, sandboxId);
            throw new CerverException(CerverError.StorageUnavailable, "What the gateway knows of the sandbox could not be stored. Try again later.");
        }
        finally
        {
            _writing.Release();
        }
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "What is known of sandbox {SandboxId} could not be stored")]
    private partial void LogFailed(Exception failure, string sandboxId);
}
