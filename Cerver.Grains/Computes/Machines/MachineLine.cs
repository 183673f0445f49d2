using Cerver.Computes;

namespace Cerver.Grains.Computes.Machines;

/// <summary>A channel to a machine, as its grain knows it.</summary>
/// <param name="Id">Its id.</param>
/// <param name="End">The front door's end of it.</param>
/// <param name="Since">When it was first heard of here.</param>
internal sealed record MachineChannel(string Id, IMachineChannel End, DateTimeOffset Since)
{
    /// <summary>When its front door last said that it is there, a timestamp of the clock.</summary>
    public DateTimeOffset RenewedAt { get; set; } = Since;
}

/// <summary>What became of a channel that was dialled or heard of.</summary>
/// <param name="IsTaken">Whether it is the machine's channel now.</param>
/// <param name="IsNew">Whether it was not before.</param>
/// <param name="Replaced">The one whose place it took, if any.</param>
internal readonly record struct TakenChannel(bool IsTaken, bool IsNew = false, MachineChannel? Replaced = null);

/// <summary>Which channel a machine has: the last one that it dialled. It is never two, and an old one never comes back.</summary>
/// <param name="time">The clock.</param>
internal sealed class MachineLine(TimeProvider time)
{
    /// <summary>How many channels that have ended are remembered, for calls of theirs that come late.</summary>
    private const int MaxFormer = 16;

    /// <summary>Front doors say every ten seconds that a channel is there. One that has not for so long is gone.</summary>
    private static readonly TimeSpan MaxSilence = TimeSpan.FromSeconds(35);

    private readonly Queue<string> _former = new();

    /// <summary>The one that was dialled last since this began. Without any, channels are only known by what their front doors say.</summary>
    private string? _dialled;

    /// <summary>The channel, or null when there is none.</summary>
    public MachineChannel? Current { get; private set; }

    /// <summary>Whether the channel is one whose front door is gone.</summary>
    public bool IsSilent => Current is { } channel && time.GetUtcNow() - channel.RenewedAt > MaxSilence;

    /// <summary>Takes the channel that the machine has just dialled.</summary>
    public TakenChannel Dial(string channelId, IMachineChannel end)
    {
        if (TouchCurrent(channelId))
        {
            return new(IsTaken: true);
        }

        if (_former.Contains(channelId))
        {
            return new(IsTaken: false);
        }

        _dialled = channelId;
        return Take(channelId, end);
    }

    /// <summary>
    /// Hears that a channel is there. One that is not known is taken when none was dialled since this began; of several such the latest, by its id.
    /// </summary>
    public TakenChannel Renew(string channelId, IMachineChannel end)
    {
        if (TouchCurrent(channelId))
        {
            return new(IsTaken: true);
        }

        var mayBeTaken = !_former.Contains(channelId)
            && (_dialled is null ? string.CompareOrdinal(channelId, Current?.Id) > 0 : channelId == _dialled);
        return mayBeTaken ? Take(channelId, end) : new(IsTaken: false);
    }

    /// <summary>A channel has ended for good.</summary>
    /// <returns>It, if it was the machine's channel.</returns>
    public MachineChannel? End(string channelId)
    {
        Remember(channelId);
        return Current?.Id == channelId ? Drop() : null;
    }

    /// <summary>The channel is not there now. It may be heard of again.</summary>
    public MachineChannel? Drop()
    {
        var dropped = Current;
        Current = null;
        return dropped;
    }

    private bool TouchCurrent(string channelId)
    {
        if (Current?.Id != channelId)
        {
            return false;
        }

        Current!.RenewedAt = time.GetUtcNow();
        return true;
    }

    private TakenChannel Take(string channelId, IMachineChannel end)
    {
        var replaced = Drop();
        if (replaced is not null)
        {
            Remember(replaced.Id);
        }

        Current = new(channelId, end, time.GetUtcNow());
        return new(IsTaken: true, IsNew: true, replaced);
    }

    private void Remember(string channelId)
    {
        if (!_former.Contains(channelId))
        {
            _former.Enqueue(channelId);
            if (_former.Count > MaxFormer)
            {
                _former.Dequeue();
            }
        }
    }
}
