namespace Cerver.Grains.Storage;

/// <summary>
/// Says that the database failed in a way after which only a new start knows what is on disk. Whoever runs the process waits for it and ends the
/// process then.
/// </summary>
internal sealed class StorageFailure
{
    private readonly TaskCompletionSource<string> _occurred = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Completes when it has happened, with a sentence for the operator. Never, otherwise.</summary>
    public Task<string> Occurred => _occurred.Task;

    /// <summary>It has happened. The first sentence counts.</summary>
    public void Report(string sentence) => _occurred.TrySetResult(sentence);
}
