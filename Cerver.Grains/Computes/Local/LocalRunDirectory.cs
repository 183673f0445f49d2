using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;

namespace Cerver.Grains.Computes.Local;

/// <summary>
/// The files that a gateway needs while it runs: what its sandboxes are started with and see, and the sockets that process 1 of
/// each connects to. One directory per gateway; those of gateways that were killed are removed by the next.
/// </summary>
internal sealed class LocalRunDirectory : IDisposable
{
    public const string InitScript = "sandbox-init.pl";
    public const string StartScript = "sandbox-start.pl";

    /// <summary>The path of a socket may have 107 bytes; this is what is left for the directory above the one of this gateway.</summary>
    private const int MaxParentBytes = 70;

    private const string LockSuffix = ".lock";

    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
    private const UnixFileMode Readable = UnixFileMode.UserRead | UnixFileMode.GroupRead | UnixFileMode.OtherRead;
    private const UnixFileMode Enterable = Readable | UnixFileMode.UserWrite | UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute;

    private readonly string _path;
    private readonly FileStream _lock;
    private int _lastSocket;

    private LocalRunDirectory(string path, FileStream held)
    {
        _path = path;
        _lock = held;
        Files = Path.Combine(path, "files");
    }

    /// <summary>The directory of the files that sandboxes may read.</summary>
    public string Files { get; }

    /// <summary>A name that no other gateway has had.</summary>
    public string Name => Path.GetFileNameWithoutExtension(_lock.Name);

    /// <summary>Makes the directory of this gateway, in the data directory if sockets can be made there, else among the temporary files.</summary>
    /// <param name="dataDirectory">The data directory.</param>
    /// <param name="abandoned">Is given the name of every gateway that is gone, before nobody knows it any more.</param>
    public static LocalRunDirectory Create(string dataDirectory, Action<string> abandoned)
    {
        var parent = Path.Combine(Path.GetFullPath(dataDirectory), "run");
        Directory.CreateDirectory(parent, OwnerOnly);
        RemoveAbandoned(parent, abandoned);

        // The lock stands beside the directory, is there before it and goes after it, and says where it is. So whatever a killed gateway leaves
        // is found, and nobody takes a directory for abandoned that is being made.
        var held = TakeLock(parent);
        var name = Path.GetFileNameWithoutExtension(held.Name);
        var path = Encoding.UTF8.GetByteCount(parent) <= MaxParentBytes ? Path.Combine(parent, name) : Path.Combine(Path.GetTempPath(), $"cerver-{name}");
        try
        {
            held.Write(Encoding.UTF8.GetBytes(path));
            held.Flush();
            Directory.CreateDirectory(path, OwnerOnly);
            var directory = new LocalRunDirectory(path, held);
            directory.WriteFiles();
            return directory;
        }
        catch
        {
            held.Dispose();
            throw;
        }
    }

    /// <summary>A path for a socket that nobody has used.</summary>
    public string NextSocketPath() => Path.Combine(_path, Interlocked.Increment(ref _lastSocket).ToString(CultureInfo.InvariantCulture));

    public void Dispose()
    {
        Directory.Delete(_path, recursive: true);
        File.Delete(_lock.Name);
        _lock.Dispose();
    }

    /// <summary>A lock of a new name. Another gateway that starts now may take one for abandoned between its creation and its locking.</summary>
    private static FileStream TakeLock(string parent)
    {
        const int Attempts = 5;
        for (var attempt = 1; ; attempt++)
        {
            var path = Path.Combine(parent, Guid.NewGuid().ToString("n")[..16] + LockSuffix);
            try
            {
                var held = new FileStream(path, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.None);
                if (File.Exists(path))
                {
                    return held;
                }

                held.Dispose();
            }
            catch (IOException) when (attempt < Attempts)
            {
                // The next name is as good.
            }
        }
    }

    /// <summary>A gateway holds the lock of its directory as long as it lives, however it ends.</summary>
    private static void RemoveAbandoned(string parent, Action<string> abandoned)
    {
        foreach (var lockPath in Directory.GetFiles(parent, $"*{LockSuffix}"))
        {
            try
            {
                using var held = new FileStream(lockPath, FileMode.Open, FileAccess.ReadWrite, FileShare.None);
                using var reader = new StreamReader(held);
                var path = reader.ReadToEnd();

                // A gateway that was killed at once has not said yet where it would be, and has made nothing.
                if (path.EndsWith(Path.GetFileNameWithoutExtension(lockPath), StringComparison.Ordinal) && Directory.Exists(path))
                {
                    Directory.Delete(path, recursive: true);
                }

                abandoned(Path.GetFileNameWithoutExtension(lockPath));
                File.Delete(lockPath);
            }
            catch (IOException)
            {
                // Its gateway is alive, or another one was quicker to remove it.
            }
        }
    }

    private static string ReadScript(string name)
    {
        using var stream = typeof(LocalRunDirectory).Assembly.GetManifestResourceStream($"Computes/Local/{name}")!;
        using var reader = new StreamReader(stream, Encoding.UTF8);
        return reader.ReadToEnd();
    }

    private void WriteFiles()
    {
        Directory.CreateDirectory(Files);
        File.SetUnixFileMode(Files, Enterable);
        Write(InitScript, Encoding.UTF8.GetBytes(ReadScript(InitScript)));
        Write(StartScript, Encoding.UTF8.GetBytes(ReadScript(StartScript)));
        Write("seccomp.bpf", SeccompFilter.Compile(RuntimeInformation.ProcessArchitecture));
        Write("passwd", "root:x:0:0:root:/root:/usr/sbin/nologin\nsandbox:x:1000:1000:sandbox:/workspace:/bin/bash\nnobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n"u8);
        Write("group", "root:x:0:\nsandbox:x:1000:\nnogroup:x:65534:\n"u8);
        Write("hosts", "127.0.0.1 localhost sandbox\n::1 localhost\n"u8);
        Write("nsswitch.conf", "passwd: files\ngroup: files\nhosts: files dns\nservices: files\nprotocols: files\n"u8);

        // A distribution's own sets PATH anew, over what the run was given, and runs programs that cost every run milliseconds.
        Write("profile", "# Sandboxes take PATH and everything else from the run. ~/.profile is read after this.\n"u8);
    }

    private void Write(string name, ReadOnlySpan<byte> content)
    {
        var path = Path.Combine(Files, name);
        File.WriteAllBytes(path, content);
        File.SetUnixFileMode(path, Readable);
    }
}
