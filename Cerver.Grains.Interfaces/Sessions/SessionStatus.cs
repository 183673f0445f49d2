namespace Cerver.Sessions;

/// <summary>What a session is doing. The numbers are stored.</summary>
[GenerateSerializer, Alias("cerver.session.status")]
public enum SessionStatus
{
    /// <summary>Nothing is up on its behalf; it can go on.</summary>
    Idle = 0,

    /// <summary>Something is up on its behalf: a sandbox is attached, a run executes or an agent's turn is in progress.</summary>
    Running = 1,

    /// <summary>Closed for good.</summary>
    Ended = 2,
}
