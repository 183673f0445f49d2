using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Runtime.InteropServices;

namespace Cerver.Bench.Gateways;

/// <summary>A signal of the operating system, by its number on Linux.</summary>
internal enum Signal
{
    /// <summary>SIGINT.</summary>
    Interrupt = 2,

    /// <summary>SIGQUIT.</summary>
    Quit = 3,

    /// <summary>SIGKILL.</summary>
    Kill = 9,

    /// <summary>SIGTERM.</summary>
    Terminate = 15,

    /// <summary>SIGCONT.</summary>
    Continue = 18,

    /// <summary>SIGSTOP.</summary>
    Stop = 19,
}

/// <summary>
/// A server that the bench started, and its successors by the same command line. It does not outlive the bench, whatever becomes of that.
/// </summary>
internal sealed partial class ServerProcess : IAsyncDisposable
{
    private const int KeptLines = 60;
    private static readonly TimeSpan KillTimeout = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan StartTimeout = TimeSpan.FromMinutes(5);

    private readonly ConcurrentQueue<string> _lines = [];
    private readonly Signal _polite;
    private readonly TimeSpan _patience;
    private readonly TextWriter _log;
    private Process _process;
    private Task<int> _gone;

    private ServerProcess(string name, ProcessStartInfo start, Signal polite, TimeSpan patience, string? logPath)
    {
        Name = name;
        _log = logPath is null ? TextWriter.Null : TextWriter.Synchronized(new StreamWriter(logPath, append: true) { AutoFlush = true });
        _polite = polite;
        _patience = patience;
        (_process, _gone) = Launch(start);
    }

    /// <summary>What it is called in a sentence.</summary>
    public string Name { get; }

    /// <summary>Its id in the operating system.</summary>
    public int Id => _process.Id;

    /// <summary>Whether it has ended.</summary>
    public bool IsGone => _gone.IsCompleted;

    /// <summary>
    /// Completes with the exit code when the process that runs now is gone; one that was killed has 128 and the number of the signal.
    /// </summary>
    public Task<int> Gone => _gone;

    /// <summary>The last lines that it and those before it said.</summary>
    public string LastWords => $"The last words of {Name}:\n{string.Join('\n', _lines)}";

    /// <summary>What starts it.</summary>
    public ProcessStartInfo StartInfo => _process.StartInfo;

    /// <summary>The processor time it has taken until now.</summary>
    public TimeSpan ProcessorTime
    {
        get
        {
            _process.Refresh();
            return _process.TotalProcessorTime;
        }
    }

    /// <summary>Starts a program.</summary>
    /// <param name="name">What to call it in a sentence.</param>
    /// <param name="start">How. What it prints is kept in part and shown when something goes wrong.</param>
    /// <param name="polite">The signal that asks it to stop.</param>
    /// <param name="patience">How long to wait then before it is killed.</param>
    /// <param name="logPath">A file that gets all it prints, or null.</param>
    public static ServerProcess Start(string name, ProcessStartInfo start, Signal polite, TimeSpan patience, string? logPath = null)
    {
        start.UseShellExecute = false;
        start.RedirectStandardInput = true;
        start.RedirectStandardOutput = true;
        start.RedirectStandardError = true;
        return new(name, start, polite, patience, logPath);
    }

    /// <summary>Reads how much memory of the machine it takes now, in bytes.</summary>
    public async Task<long> ReadResidentBytesAsync(CancellationToken cancellationToken)
    {
        const string Field = "VmRSS:";
        var lines = await File.ReadAllLinesAsync($"/proc/{_process.Id}/status", cancellationToken);
        var resident = lines.First(line => line.StartsWith(Field, StringComparison.Ordinal));
        var kibibytes = resident[Field.Length..].Replace("kB", string.Empty, StringComparison.Ordinal);
        return long.Parse(kibibytes, CultureInfo.InvariantCulture) * 1024;
    }

    /// <summary>Sends a signal. One that is gone does not notice.</summary>
    public void Send(Signal signal)
    {
        if (!IsGone)
        {
            _ = SendSignal(_process.Id, (int)signal);
        }
    }

    /// <summary>
    /// Kills it with SIGKILL and returns when it is gone. A child that it left behind is left for whoever looks for such children.
    /// </summary>
    public async Task KillAsync(CancellationToken cancellationToken)
    {
        Send(Signal.Kill);
        await _gone.WaitAsync(KillTimeout, cancellationToken);
    }

    /// <summary>Asks it to stop and returns when it is gone.</summary>
    /// <returns>Its exit code.</returns>
    /// <exception cref="BenchException">It did not go in time and was killed.</exception>
    public async Task<int> StopAsync(CancellationToken cancellationToken)
    {
        Send(_polite);
        try
        {
            return await _gone.WaitAsync(_patience, cancellationToken);
        }
        catch (TimeoutException)
        {
            await KillAsync(cancellationToken);
            throw new BenchException($"{Name} did not stop within {_patience.TotalSeconds:0} s and was killed. {LastWords}");
        }
    }

    /// <summary>Starts it once more when it is gone.</summary>
    public void StartAgain()
    {
        var before = _process;
        (_process, _gone) = Launch(before.StartInfo);
        before.Dispose();
    }

    /// <summary>Waits for the first 200 of <c>/readyz</c>.</summary>
    /// <param name="endpoint">Where it listens.</param>
    /// <param name="interval">How often to ask.</param>
    /// <param name="cancellationToken">Ends the waiting.</param>
    /// <exception cref="BenchException">It ends first, or is not ready within five minutes.</exception>
    public async Task WaitUntilReadyAsync(IPEndPoint endpoint, TimeSpan interval, CancellationToken cancellationToken)
    {
        using var poll = new PeriodicTimer(interval);
        var started = Stopwatch.GetTimestamp();
        while (!await Readiness.AskAsync(endpoint, cancellationToken))
        {
            if (IsGone)
            {
                throw new BenchException($"{Name} ended with exit code {await _gone}. {LastWords}");
            }

            if (Stopwatch.GetElapsedTime(started) > StartTimeout)
            {
                throw new BenchException($"{Name} is not ready after {StartTimeout}. {LastWords}");
            }

            await poll.WaitForNextTickAsync(cancellationToken);
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (!IsGone)
        {
            try
            {
                await StopAsync(CancellationToken.None);
            }
            catch (BenchException stubborn)
            {
                await Console.Error.WriteLineAsync(stubborn.Message);
            }
        }

        _process.Dispose();
        await _log.DisposeAsync();
    }

    private (Process Process, Task<int> Gone) Launch(ProcessStartInfo start)
    {
        var process = new Process { StartInfo = start, EnableRaisingEvents = true };
        var gone = new TaskCompletionSource<int>(TaskCreationOptions.RunContinuationsAsynchronously);
        process.OutputDataReceived += Keep;
        process.ErrorDataReceived += Keep;
        process.Exited += (_, _) =>
        {
            ProcessKeeper.Forget(process.Id);
            gone.TrySetResult(process.ExitCode);
        };
        process.Start();
        ProcessKeeper.Keep(process.Id);
        if (process.HasExited)
        {
            // So fast that its end may have been told before its beginning.
            ProcessKeeper.Forget(process.Id);
        }

        process.StandardInput.Close();
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        return (process, gone.Task);
    }

    private void Keep(object sender, DataReceivedEventArgs line)
    {
        if (line.Data is not null)
        {
            _log.WriteLine($"{TimeProvider.System.GetUtcNow():HH:mm:ss.fff} {line.Data}");
            _lines.Enqueue(line.Data);
            while (_lines.Count > KeptLines)
            {
                _lines.TryDequeue(out _);
            }
        }
    }

    [LibraryImport("libc", EntryPoint = "kill")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int SendSignal(int process, int signal);
}
