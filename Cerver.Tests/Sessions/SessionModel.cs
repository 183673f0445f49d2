using System.Collections.Immutable;
using Cerver.Errors;
using Cerver.Sessions;

namespace Cerver.Tests.Sessions;

/// <summary>
/// What a session is, without storage, grains or time. Pure: every call gives the next state and what a caller must be told.
/// </summary>
internal sealed record SessionModel(
    SessionStatus Status, string Name, ImmutableArray<string> Contents, ImmutableArray<string> Happened, ImmutableDictionary<string, (SessionCall Call, string Answer)> Keys)
{
    /// <summary>A session that was just created with compute.</summary>
    public static SessionModel New(string name) => new(
        SessionStatus.Running, name, [], ["status Running"], ImmutableDictionary<string, (SessionCall, string)>.Empty.WithComparers(StringComparer.Ordinal));

    /// <summary>Carries out a call.</summary>
    public (SessionModel Next, string Answer) Apply(SessionCall call)
    {
        if (call.Key is null)
        {
            return Carry(call);
        }

        if (Keys.TryGetValue(call.Key, out var earlier))
        {
            return (this, earlier.Call == call ? $"{earlier.Answer} again" : $"{CerverError.IdempotencyMismatch}");
        }

        var (next, answer) = Carry(call);
        return Enum.GetNames<CerverError>().Contains(answer) ? (this, answer) : (next with { Keys = next.Keys.Add(call.Key, (call, answer)) }, answer);
    }

    private (SessionModel Next, string Answer) Carry(SessionCall call) => (call, Status) switch
    {
        (SessionCall.Append or SessionCall.Input, SessionStatus.Ended) => (this, $"{CerverError.SessionEnded}"),
        (SessionCall.Append { Expected: { } expected }, _) when expected != Contents.Length => (this, $"{CerverError.Conflict}"),
        (SessionCall.Append append, _) => (Change(Status, append.Texts), $"{Contents.Length + append.Texts.Length}"),
        (SessionCall.Input input, _) => (Change(SessionStatus.Running, input.Text), $"{Contents.Length + 1} {SessionStatus.Running}"),
        (SessionCall.Rename rename, _) => (this with { Name = rename.Name }, $"{rename.Name} {Status}"),
        (SessionCall.Pause, SessionStatus.Ended) => (this, $"{CerverError.SessionEnded}"),
        (SessionCall.Pause, _) => (Change(SessionStatus.Idle), $"{SessionStatus.Idle}"),
        (SessionCall.Resume, SessionStatus.Ended) => (this, $"{CerverError.NotResumable}"),
        (SessionCall.Resume, _) => (Change(SessionStatus.Running), $"{SessionStatus.Running}"),
        (SessionCall.End, _) => (Change(SessionStatus.Ended), $"{SessionStatus.Ended}"),
        _ => throw new InvalidOperationException($"The model does not know {call}."),
    };

    /// <summary>One commit: its entries come first in what happened, then the status if it is another.</summary>
    private SessionModel Change(SessionStatus status, params ImmutableArray<string> texts) => this with
    {
        Status = status,
        Contents = Contents.AddRange(texts),
        Happened = [.. Happened, .. texts.Select((_, i) => $"entry {Contents.Length + i}"), .. status == Status ? [] : (string[])[$"status {status}"]],
    };
}

/// <summary>One call of a session.</summary>
internal abstract record SessionCall(string? Key)
{
    public sealed record Append(ImmutableArray<string> Texts, long? Expected, string? Key) : SessionCall(Key)
    {
        public bool Equals(Append? other) => other is not null && Key == other.Key && Expected == other.Expected && Texts.SequenceEqual(other.Texts);

        public override int GetHashCode() => HashCode.Combine(Key, Expected, Texts.Length);
    }

    public sealed record Input(string Text, string? Key) : SessionCall(Key);

    public sealed record Rename(string Name, string? Key) : SessionCall(Key);

    public sealed record Pause(string? Key) : SessionCall(Key);

    public sealed record Resume(string? Key) : SessionCall(Key);

    public sealed record End(string? Key) : SessionCall(Key);
}
