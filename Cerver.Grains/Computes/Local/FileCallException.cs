namespace Cerver.Grains.Computes.Local;

/// <summary>A system call on a file failed. It names no path: that is its caller's, and may hold anything.</summary>
internal sealed class FileCallException(int error) : IOException($"A system call on a file of a sandbox failed with error {error}.")
{
    /// <summary>The number of the error, one of <see cref="FileErrors"/> or another.</summary>
    public int Error => error;
}

/// <summary>The numbers of errors, the same on every machine that has local sandboxes.</summary>
internal static class FileErrors
{
    public const int NotPermitted = 1;
    public const int NotFound = 2;
    public const int Interrupted = 4;
    public const int NoDevice = 6;
    public const int Again = 11;
    public const int NoAccess = 13;
    public const int Exists = 17;
    public const int OtherMount = 18;
    public const int NotDirectory = 20;
    public const int IsDirectory = 21;
    public const int NoSpace = 28;
    public const int NameTooLong = 36;
    public const int NotEmpty = 39;
    public const int Link = 40;
    public const int NoQuota = 122;
}
