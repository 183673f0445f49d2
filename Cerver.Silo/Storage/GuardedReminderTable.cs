namespace Cerver.Silo.Storage;

/// <summary>Reminders in a database, by its rules.</summary>
/// <param name="inner">The ADO.NET provider, whose failures are the driver's.</param>
/// <param name="guard">The rules.</param>
internal sealed class GuardedReminderTable(IReminderTable inner, IStateGuard guard) : IReminderTable
{
    /// <inheritdoc/>
    public Task StartAsync(CancellationToken cancellationToken) => inner.StartAsync(cancellationToken);

    /// <inheritdoc/>
    public Task StopAsync(CancellationToken cancellationToken) => inner.StopAsync(cancellationToken);

    /// <inheritdoc/>
    public Task<ReminderTableData> ReadRows(GrainId grainId) => guard.RunAsync(() => inner.ReadRows(grainId));

    /// <inheritdoc/>
    public Task<ReminderTableData> ReadRows(uint begin, uint end) => guard.RunAsync(() => inner.ReadRows(begin, end));

    /// <inheritdoc/>
    public Task<ReminderEntry?> ReadRow(GrainId grainId, string reminderName) => guard.RunAsync(() => inner.ReadRow(grainId, reminderName));

    /// <inheritdoc/>
    public Task<string?> UpsertRow(ReminderEntry entry) => guard.RunAsync(() => inner.UpsertRow(entry));

    /// <inheritdoc/>
    public Task<bool> RemoveRow(GrainId grainId, string reminderName, string eTag) => guard.RunAsync(() => inner.RemoveRow(grainId, reminderName, eTag));

    /// <inheritdoc/>
    public Task TestOnlyClearTable() => inner.TestOnlyClearTable();
}
