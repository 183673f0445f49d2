namespace Cerver.Sessions;

/// <summary>The reasons that the gateway itself notes on a session. Others are their callers'.</summary>
public static class EndReasons
{
    /// <summary>
    /// The session is made from a file, and the last part of it is still to come: while it is being imported, and after an import that was cut short. It takes
    /// nothing else until it is whole.
    /// </summary>
    public const string ImportIncomplete = "import_incomplete";
}
