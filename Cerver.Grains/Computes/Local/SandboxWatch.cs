using System.Collections.Concurrent;
using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using Microsoft.Extensions.Logging;

namespace Cerver.Grains.Computes.Local;

/// <summary>
/// Measures what sandboxes use of what the kernel does not limit, and ends those that use too much. Between two measurements one can be over.
/// </summary>
/// <param name="options">How much a sandbox may use, and how often that is looked at.</param>
/// <param name="time">When.</param>
/// <param name="logger">Where trouble is told.</param>
internal sealed partial class SandboxWatch(LocalComputeOptions options, TimeProvider time, ILogger logger) : IDisposable
{
    private const string Proc = "/proc";

    /// <summary>Measuring files takes the longer the more there are; after it nothing is measured for so many times as long.</summary>
    private const int RestPerMeasurement = 10;

    private static readonly TimeSpan MeasurePatience = TimeSpan.FromMinutes(1);

    /// <summary>Sandboxes that were ended for the size of their files.</summary>
    private readonly ConcurrentDictionary<string, bool> _full = new(StringComparer.Ordinal);

    private readonly CancellationTokenSource _stopped = new();
    private readonly Lock _reading = new();
    private ProcessTable? _processes;
    private long _processesAt;

    /// <summary>Looks after a sandbox until it is down.</summary>
    /// <param name="sandbox">The sandbox.</param>
    /// <param name="workspace">The directory of its files.</param>
    /// <param name="fileBytes">How much its files may take.</param>
    /// <param name="includesMemory">Whether its memory is to be measured, because no control group limits it.</param>
    public void Add(LocalSandbox sandbox, string workspace, long fileBytes, bool includesMemory)
    {
        if (includesMemory)
        {
            _ = RepeatAsync(sandbox, () => Task.FromResult(FindExcessMemory(sandbox, workspace)));
        }

        _ = RepeatAsync(sandbox, () => FindExcessFilesAsync(sandbox, workspace, fileBytes));
    }

    /// <summary>
    /// How large the files of a sandbox are that was ended for their size, when nobody made room since: it comes up to be cleaned up, and nothing in it may
    /// grow. Otherwise it would be a little larger each time that it comes up.
    /// </summary>
    /// <returns>Bytes, or null for a sandbox that may grow.</returns>
    /// <exception cref="IOException">They could not be measured.</exception>
    public async Task<long?> MeasureFullAsync(string sandboxId, string workspace, CancellationToken cancellationToken)
    {
        if (!_full.ContainsKey(sandboxId))
        {
            return null;
        }

        // What takes longer is too much in any case, and whoever waits for the sandbox has no more time.
        var bytes = await MeasureAsync(workspace, options.OpenTimeout / 2, cancellationToken) ?? long.MaxValue;
        if (bytes > options.DiskBytes)
        {
            return bytes;
        }

        Forget(sandboxId);
        return null;
    }

    /// <summary>The files of a sandbox are gone.</summary>
    public void Forget(string sandboxId) => _full.TryRemove(sandboxId, out _);

    /// <summary>Stops looking. What is up stays up.</summary>
    public void Dispose() => _stopped.Cancel();

    /// <summary>Measures again and again; ends the sandbox when there are words for why.</summary>
    private async Task RepeatAsync(LocalSandbox sandbox, Func<Task<string?>> measure)
    {
        var rest = options.WatchInterval;
        while (!_stopped.IsCancellationRequested && await Task.WhenAny(sandbox.Closed, Task.Delay(rest, time, _stopped.Token)) != sandbox.Closed)
        {
            var began = time.GetTimestamp();
            try
            {
                if (await measure() is { } words)
                {
                    LogEnded(sandbox.Id, words.Trim());
                    await sandbox.EndAsync(words);
                    return;
                }
            }
            catch (IOException failure)
            {
                LogNotMeasured(failure, sandbox.Id);
            }
            catch (OperationCanceledException) when (_stopped.IsCancellationRequested)
            {
                return;
            }

            var next = time.GetElapsedTime(began) * RestPerMeasurement;
            rest = next > options.WatchInterval ? next : options.WatchInterval;
        }
    }

    private string? FindExcessMemory(LocalSandbox sandbox, string workspace)
    {
        var processes = ReadProcesses();
        var tree = processes.Tree(sandbox.ContainerId);
        var held = SandboxUsage.HeldBytes(Proc, tree, workspace).Memory;

        // What processes share counts for each here, which is quick to say; only who is over by that is measured page by page.
        return processes.ResidentBytes(tree) + held > options.MemoryBytes
            && SandboxUsage.MemoryBytes(Proc, tree, held, process => processes.ResidentBytes([process])) > options.MemoryBytes
                ? SandboxLimitWords.Memory(options.MemoryBytes)
                : null;
    }

    private async Task<string?> FindExcessFilesAsync(LocalSandbox sandbox, string workspace, long fileBytes)
    {
        if (await MeasureAsync(workspace, MeasurePatience, _stopped.Token) is not { } bytes)
        {
            _full[sandbox.Id] = true;
            return SandboxLimitWords.Immeasurable(MeasurePatience);
        }

        if (bytes + SandboxUsage.HeldBytes(Proc, ReadProcesses().Tree(sandbox.ContainerId), workspace).Disk <= fileBytes)
        {
            return null;
        }

        _full[sandbox.Id] = true;
        return SandboxLimitWords.Disk(options.DiskBytes);
    }

    /// <summary>How much room files take, without what is held open and has no name any more; null when nobody could tell in time.</summary>
    private async Task<long?> MeasureAsync(string workspace, TimeSpan atMost, CancellationToken cancellationToken)
    {
        using var patience = new CancellationTokenSource(atMost, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, cancellationToken);
        using var process = StartMeasuring(workspace);
        try
        {
            // It names files that it may not enter, or that went away meanwhile; nobody needs to know.
            var complaints = process.StandardError.BaseStream.CopyToAsync(Stream.Null, either.Token);
            var text = await process.StandardOutput.ReadToEndAsync(either.Token);
            await complaints;
            await process.WaitForExitAsync(either.Token);
            return long.TryParse(text.Split('\t')[0], NumberStyles.None, CultureInfo.InvariantCulture, out var bytes)
                ? bytes
                : throw new IOException("The program du did not say how large the files are.");
        }
        catch (OperationCanceledException)
        {
            process.Kill();
            cancellationToken.ThrowIfCancellationRequested();
            return null;
        }
    }

    private static Process StartMeasuring(string workspace)
    {
        // du, because it walks by directory handle: a tree may be deeper than any path may be long, and a link is never followed.
        var start = new ProcessStartInfo("du", ["-s", "-x", "--block-size=1", "--", workspace])
        {
            UseShellExecute = false,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        try
        {
            return Process.Start(start)!;
        }
        catch (Win32Exception failure)
        {
            throw new IOException("The program du could not be started.", failure);
        }
    }

    /// <summary>The processes of this machine as they were a moment ago: many sandboxes ask, and the machine is read once.</summary>
    private ProcessTable ReadProcesses()
    {
        lock (_reading)
        {
            if (_processes is null || time.GetElapsedTime(_processesAt) > options.WatchInterval / 2)
            {
                _processesAt = time.GetTimestamp();
                _processes = new ProcessTable(Proc);
            }

            return _processes;
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Sandbox {SandboxId} was ended: {Reason}")]
    private partial void LogEnded(string sandboxId, string reason);

    [LoggerMessage(Level = LogLevel.Error, Message = "What sandbox {SandboxId} uses could not be measured, so it is not limited; it will be tried again")]
    private partial void LogNotMeasured(Exception failure, string sandboxId);
}
