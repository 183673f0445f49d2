namespace Cerver.Grains.Storage;

/// <summary>
/// Says that the database failed in a way after which only a new start knows what is on disk. Whoever runs the process waits for it and
/// ends the process then.
/// </summary>
internal sealed class StorageFailure
{
    private readonly TaskCompletionSource<string> _occurred = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Completes when it has happened, with a sentence for the operator. Never, otherwise.</summary>
    public Task<string> Occurred => _occurred.Task;

    /// <summary>It has happened. The first failure counts.</summary>
    /// <param name="path">The file.</param>
    /// <param name="failure">What went wrong.</param>
    public void Report(string path, Exception failure) => _occurred.TrySetResult(
        $"The database '{path}' failed while it was written ({failure.Message.TrimEnd('.')}) and takes no more writes before the next start, "
        + "which begins with all that was acknowledged. Look at the disk.");
}
