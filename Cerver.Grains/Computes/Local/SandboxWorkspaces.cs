using System.Collections.Concurrent;
using System.ComponentModel;
using System.Diagnostics;
using System.Text.RegularExpressions;

namespace Cerver.Grains.Computes.Local;

/// <summary>The directories that hold the files of the sandboxes, one each. Their content is hostile.</summary>
/// <param name="root">The directory above them.</param>
/// <param name="owner">
/// The gateway, when it was only told of the directory: another one may have been told of the same. Null for a directory that is the gateway's own in
/// any case.
/// </param>
internal sealed partial class SandboxWorkspaces(string root, GatewayName? owner)
{
    private const string OwnerFile = "gateway";
    private const string Uploads = "uploads";

    /// <summary>Ends the name of a directory that was set aside to be erased.</summary>
    private const string Removed = ".removed";

    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    private readonly string _root = Path.GetFullPath(root);
    private readonly ConcurrentDictionary<string, bool> _erasing = new(StringComparer.Ordinal);

    /// <summary>Whether another gateway has used the directory first, so that nothing is ours to sweep.</summary>
    /// <exception cref="IOException">Nobody can tell.</exception>
    public bool IsAnothers => owner is not null && File.Exists(OwnerPath) && File.ReadAllText(OwnerPath) != owner.Read();

    private bool IsOurs => Directory.Exists(_root) && (owner is null || (File.Exists(OwnerPath) && File.ReadAllText(OwnerPath) == owner.Read()));

    private string OwnerPath => Path.Combine(_root, OwnerFile);

    /// <summary>The directory of a sandbox, whether it exists or not.</summary>
    /// <exception cref="ArgumentException">This is no sandbox's id.</exception>
    public string PathOf(string sandboxId) => SandboxIds().IsMatch(sandboxId)
        ? Path.Combine(_root, sandboxId)
        : throw new ArgumentException("A sandbox's id is sbx_ and 8 to 64 hexadecimal digits.", nameof(sandboxId));

    /// <summary>
    /// The directory of files that are being sent to sandboxes: beside theirs, so that a file can be moved into its place, and out of their sight. No other
    /// gateway has the same.
    /// </summary>
    /// <exception cref="IOException">The gateway's name cannot be read.</exception>
    public string UploadsPath => Path.Combine(_root, owner is null ? Uploads : $"{Uploads}.{owner.Read()}");

    /// <summary>Makes the directory of a sandbox, or leaves the one that is there.</summary>
    /// <returns>Whether it was made.</returns>
    public bool Create(string sandboxId)
    {
        var path = PathOf(sandboxId);
        Directory.CreateDirectory(_root, OwnerOnly);
        owner?.WriteTo(OwnerPath);
        if (Directory.Exists(path))
        {
            return false;
        }

        Directory.CreateDirectory(path, OwnerOnly);
        return true;
    }

    /// <summary>The sandboxes whose directories there are; none in a directory that another gateway used first.</summary>
    public IEnumerable<string> List() => !IsOurs
        ? []
        : Directory.EnumerateDirectories(_root).Select(path => Path.GetFileName(path)).Where(name => SandboxIds().IsMatch(name));

    /// <summary>
    /// Takes the directory of a sandbox out of the way, so that after a crash in the middle of its removal the same sandbox does not begin with half of
    /// its files. One that does not exist is fine.
    /// </summary>
    /// <exception cref="IOException">It is where it was.</exception>
    public void SetAside(string sandboxId)
    {
        var path = PathOf(sandboxId);
        if (Directory.Exists(path))
        {
            // A name that no directory has: what was set aside before may still be there.
            Directory.Move(path, $"{path}.{Guid.NewGuid():n}{Removed}");
        }
    }

    /// <summary>Removes the directory of a sandbox with all that is in it. One that does not exist is fine.</summary>
    /// <exception cref="IOException">Something of it is left.</exception>
    public async Task RemoveAsync(string sandboxId, CancellationToken cancellationToken)
    {
        SetAside(sandboxId);
        await EraseAsync(sandboxId + ".*", cancellationToken);
    }

    /// <summary>Erases what was set aside, one directory after the other; nothing in a directory that another gateway used first.</summary>
    /// <exception cref="IOException">Something of it is left; what could be erased is.</exception>
    public async Task EraseAsync(CancellationToken cancellationToken)
    {
        if (IsOurs)
        {
            await EraseAsync($"sbx_*{Removed}", cancellationToken);
        }
    }

    private async Task EraseAsync(string pattern, CancellationToken cancellationToken)
    {
        IOException? failure = null;
        foreach (var path in Directory.Exists(_root) ? Directory.GetDirectories(_root, pattern) : [])
        {
            // Somebody else may be at it already.
            if (!_erasing.TryAdd(path, value: true))
            {
                continue;
            }

            try
            {
                await RemoveTreeAsync(path, cancellationToken);
            }
            catch (IOException left)
            {
                failure = left;
            }
            finally
            {
                _erasing.TryRemove(path, out _);
            }
        }

        if (failure is not null)
        {
            throw new IOException("Some files of sandboxes could not be removed.", failure);
        }
    }

    private static async Task RemoveTreeAsync(string path, CancellationToken cancellationToken)
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

    private static async Task<bool> ExecuteAsync(string program, string[] arguments, CancellationToken cancellationToken)
    {
        using var process = Start(program, arguments);
        try
        {
            await process.StandardError.BaseStream.CopyToAsync(Stream.Null, cancellationToken);
            await process.WaitForExitAsync(cancellationToken);
        }
        catch (OperationCanceledException)
        {
            // It would outlive the gateway, and the next one finds what is left.
            process.Kill();
            throw;
        }

        return process.ExitCode == 0;
    }

    private static Process Start(string program, string[] arguments)
    {
        try
        {
            return Process.Start(new ProcessStartInfo(program, arguments) { UseShellExecute = false, RedirectStandardError = true })!;
        }
        catch (Win32Exception failure)
        {
            throw new IOException($"The program {program} could not be started.", failure);
        }
    }

    [GeneratedRegex(@"\Asbx_[0-9a-f]{8,64}\z", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex SandboxIds();
}
