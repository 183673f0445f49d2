using System.Diagnostics;

namespace Cerver.Tests.Silo;

/// <summary>A disk of a few megabytes in memory, with a directory on it. Only root can have one.</summary>
internal sealed class SmallDisk : IDisposable
{
    private const int MiB = 1024 * 1024;

    private readonly string _place = Directory.CreateTempSubdirectory("cerver-disk-").FullName;

    public SmallDisk(int megabytes)
    {
        var said = Run("mount", "-t", "tmpfs", "-o", $"size={megabytes}m", "cerver-test", _place);
        Assert.True(said is null, $"This test mounts a small tmpfs, so it has to run as root with CAP_SYS_ADMIN; mount said: {said}");
        Data = Directory.CreateDirectory(Path.Combine(_place, "data")).FullName;
    }

    /// <summary>The directory.</summary>
    public string Data { get; }

    private string Filler => Path.Combine(_place, "filler");

    /// <summary>Leaves no room.</summary>
    public void Fill()
    {
        using var file = new FileStream(Filler, FileMode.Append, FileAccess.Write, FileShare.None, bufferSize: 0);
        foreach (var size in (int[])[MiB, 4096])
        {
            try
            {
                while (true)
                {
                    file.Write(new byte[size]);
                }
            }
            catch (IOException)
            {
                // This much does not fit any more.
            }
        }
    }

    /// <summary>Makes room again.</summary>
    public void Free() => File.Delete(Filler);

    /// <summary>Lets nobody write, or everybody again. No file may be open for writing.</summary>
    public void SetReadOnly(bool readOnly)
    {
        var said = Run("mount", "-o", readOnly ? "remount,ro" : "remount,rw", _place);
        Assert.True(said is null, $"The disk could not be mounted again: {said}");
    }

    public void Dispose()
    {
        _ = Run("umount", "--lazy", _place);
        Directory.Delete(_place);
    }

    private static string? Run(string program, params string[] args)
    {
        using var process = Process.Start(new ProcessStartInfo(program, args) { RedirectStandardError = true, UseShellExecute = false })!;
        var said = process.StandardError.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode == 0 ? null : said.Trim();
    }
}
