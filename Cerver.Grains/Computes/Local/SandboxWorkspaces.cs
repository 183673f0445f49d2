using System.Diagnostics;
using System.Text.RegularExpressions;

namespace Cerver.Grains.Computes.Local;

/// <summary>The directories that hold the files of the sandboxes, one each. Their content is hostile.</summary>
/// <param name="root">The directory above them.</param>
/// <param name="owner">
/// The gateway, by a name that no other has, when it was only told of the directory: another one may have been told of the same. Null for a directory
/// that is the gateway's own in any case.
/// </param>
internal sealed partial class SandboxWorkspaces(string root, string? owner)
{
    private const string OwnerFile = "gateway";

    /// <summary>Ends the name of a directory that is being removed.</summary>
    private const string Removed = ".removed";

    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    private readonly string _root = Path.GetFullPath(root);

    /// <summary>The directory of a sandbox, whether it exists or not.</summary>
    /// <exception cref="ArgumentException">This is no sandbox's id.</exception>
    public string PathOf(string sandboxId) => SandboxIds().IsMatch(sandboxId)
        ? Path.Combine(_root, sandboxId)
        : throw new ArgumentException("A sandbox's id is sbx_ and 8 to 64 hexadecimal digits.", nameof(sandboxId));

    /// <summary>Makes the directory of a sandbox, or leaves the one that is there.</summary>
    /// <returns>Whether it was made.</returns>
    public bool Create(string sandboxId)
    {
        var path = PathOf(sandboxId);
        Directory.CreateDirectory(_root, OwnerOnly);
        if (owner is not null && !File.Exists(OwnerPath))
        {
            File.WriteAllText(OwnerPath, owner);
        }

        if (Directory.Exists(path))
        {
            return false;
        }

        Directory.CreateDirectory(path, OwnerOnly);
        return true;
    }

    /// <summary>The sandboxes whose directories there are; none in a directory that another gateway used first.</summary>
    public IEnumerable<string> List() =>
        !Directory.Exists(_root) || (owner is not null && !(File.Exists(OwnerPath) && File.ReadAllText(OwnerPath) == owner))
            ? []
            : Directory.EnumerateDirectories(_root)
                .Select(path => Path.GetFileName(path))
                .Select(name => name.EndsWith(Removed, StringComparison.Ordinal) ? name[..^Removed.Length] : name)
                .Where(name => SandboxIds().IsMatch(name))
                .Distinct();

    /// <summary>Removes the directory of a sandbox with all that is in it. One that does not exist is fine.</summary>
    /// <exception cref="IOException">Something of it is left.</exception>
    public async Task RemoveAsync(string sandboxId, CancellationToken cancellationToken)
    {
        // Out of the way at once: after a crash in the middle, the same sandbox does not begin with half of its files.
        var path = PathOf(sandboxId) + Removed;
        if (Directory.Exists(PathOf(sandboxId)))
        {
            if (Directory.Exists(path))
            {
                await EraseAsync(path, cancellationToken);
            }

            Directory.Move(PathOf(sandboxId), path);
        }

        await EraseAsync(path, cancellationToken);
    }

    private string OwnerPath => Path.Combine(_root, OwnerFile);

    private static async Task EraseAsync(string path, CancellationToken cancellationToken)
    {
        // rm, because it walks by directory handle: a tree may be deeper than any path may be long, and a link is never followed.
        if (await ExecuteAsync("rm", ["-rf", "--one-file-system", "--", path], cancellationToken))
        {
            return;
        }

        // Only root may remove what stands in a directory that may not be entered; its owner has to make that so first.
        await ExecuteAsync("chmod", ["-R", "u+rwX", "--", path], cancellationToken);
        if (!await ExecuteAsync("rm", ["-rf", "--one-file-system", "--", path], cancellationToken))
        {
            throw new IOException("The files of a sandbox could not be removed.");
        }
    }

    /// <summary>A removal that was begun goes on when the caller no longer waits.</summary>
    private static async Task<bool> ExecuteAsync(string program, string[] arguments, CancellationToken cancellationToken)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { UseShellExecute = false, RedirectStandardError = true })!;
        await process.StandardError.BaseStream.CopyToAsync(Stream.Null, cancellationToken);
        await process.WaitForExitAsync(cancellationToken);
        return process.ExitCode == 0;
    }

    [GeneratedRegex(@"\Asbx_[0-9a-f]{8,64}\z", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex SandboxIds();
}
