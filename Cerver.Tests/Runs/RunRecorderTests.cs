using System.Collections.Immutable;
using System.Text;
using Cerver.Computes;
using Cerver.Errors;
using Cerver.Grains.Computes;
using Cerver.Grains.Runs;
using Cerver.Grains.Secrets.Redaction;
using Cerver.Runs;
using Cerver.Tests.Computes;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace Cerver.Tests.Runs;

public sealed class RunRecorderTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(1);

    private readonly ScriptedProcess _process = new(new SandboxCommand("code", SandboxRuntime.Shell, ImmutableDictionary<string, string>.Empty));
    private readonly RowsInMemory _rows = new();
    private readonly List<RunOutput> _published = [];
    private readonly List<int> _told = [];

    [Fact]
    public async Task Output_is_on_disk_before_it_is_published()
    {
        var recorder = NewRecorder(publish: output =>
        {
            Assert.Equal(output.Chunks[^1].Sequence, _rows.Chunks[^1].Sequence);
            _published.Add(output);
            return Task.CompletedTask;
        });
        var recording = recorder.RecordAsync();

        _process.Print("hello\n");
        _process.End(0);
        var ended = await recording;

        Assert.Equal((RunStatus.Exited, 0, 1L, "hello\n"), (ended.Status, ended.ExitCode, ended.OutputHead, ended.Output));
        Assert.Single(_published);
        Assert.Equal([1], _told);
    }

    [Fact]
    public async Task Output_over_the_limit_is_cut_and_said_and_the_program_goes_on()
    {
        var recorder = NewRecorder(maxOutputBytes: 10);
        var recording = recorder.RecordAsync();

        _process.Print("0123456789abc");
        _process.Print("more");
        _process.End(7);
        var ended = await recording;

        Assert.Equal((7, true, "0123456789"), (ended.ExitCode, ended.Truncated, ended.Output));
        Assert.False(_process.Stopped.IsCompleted);
    }

    [Fact]
    public async Task Output_that_cannot_be_written_ends_the_run_as_lost_and_stops_the_program()
    {
        _rows.Failure = new CerverException(CerverError.StorageUnavailable, "The disk is full.");
        var recorder = NewRecorder();
        var recording = recorder.RecordAsync();

        _process.Print("lost");
        await _process.Stopped;
        var ended = await recording;

        Assert.Equal((RunStatus.Lost, true, 0L), (ended.Status, ended.Truncated, ended.OutputHead));
    }

    [Fact]
    public async Task A_stop_that_comes_after_the_end_does_not_change_how_the_run_ended()
    {
        var recorder = NewRecorder();
        var recording = recorder.RecordAsync();
        _process.End(0);

        recorder.Stop(RunStatus.Cancelled);

        Assert.Equal(RunStatus.Exited, (await recording).Status);
    }

    [Fact]
    public async Task A_run_whose_provider_says_that_it_stopped_it_because_its_time_was_over_has_timed_out()
    {
        var recorder = NewRecorder();
        var recording = recorder.RecordAsync();

        _process.TimedOut = true;
        _process.End(143);
        var ended = await recording;

        Assert.Equal((RunStatus.TimedOut, 143), (ended.Status, ended.ExitCode));
    }

    [Fact]
    public async Task A_provider_that_measures_the_time_is_given_some_more_to_say_how_the_run_ended()
    {
        var time = new FakeTimeProvider();
        _process.TimeoutPatience = TimeSpan.FromSeconds(10);
        var recording = NewRecorder(time: time).RecordAsync();

        time.Advance(Limit + TimeSpan.FromSeconds(9));
        Assert.False(_process.Stopped.IsCompleted);
        _process.End(0);

        Assert.Equal(RunStatus.Exited, (await recording).Status);
    }

    [Fact]
    public async Task A_run_of_whose_end_its_provider_says_nothing_is_stopped_in_the_end()
    {
        var time = new FakeTimeProvider();
        _process.TimeoutPatience = TimeSpan.FromSeconds(10);
        var recording = NewRecorder(time: time).RecordAsync();

        time.Advance(Limit + TimeSpan.FromSeconds(10));

        Assert.Equal(RunStatus.TimedOut, (await recording).Status);
    }

    [Fact]
    public async Task A_publication_that_is_slow_holds_nothing_up()
    {
        var slow = new TaskCompletionSource();
        var recorder = NewRecorder(publish: output =>
        {
            _published.Add(output);
            return slow.Task;
        });
        var recording = recorder.RecordAsync();

        for (var i = 0; i < 100; i++)
        {
            _process.Print(new string('x', ChunkBuffer.MaxChunkBytes * 8));
        }

        _process.End(0);
        var ended = await recording;
        slow.SetResult();

        Assert.Equal((800L, 1), (ended.OutputHead, _published.Count));
    }

    [Fact]
    public async Task Of_a_run_that_is_followed_again_only_what_is_on_disk_is_said_to_be_there()
    {
        _rows.Chunks.Add(new RunChunk(1, OutputKind.Stdout, "be"u8.ToArray()));
        var heads = new List<long>();
        RunRecorder? recorder = null;
        _rows.Appending = () => heads.Add(recorder!.Head);
        recorder = NewRecorder(recorded: new RecordedOutput(_rows, "account", "run_x"));
        var recording = recorder.RecordAsync();

        _process.Print("before");
        await _rows.AppendedAsync(2);
        _process.Print("after");
        _process.End(0);
        var ended = await recording;

        Assert.Equal([1, 2], heads);
        Assert.Equal(["be", "fore", "after"], _rows.Chunks.Select(static chunk => Encoding.UTF8.GetString(chunk.Data)));
        Assert.Equal(3, ended.OutputHead);
    }

    private RunRecorder NewRecorder(
        long maxOutputBytes = 64 * 1024 * 1024, Func<RunOutput, Task>? publish = null, RecordedOutput? recorded = null, TimeProvider? time = null) => new(
        "session",
        new SandboxRun("run_x", "code", SandboxRuntime.Shell, Limit, ImmutableDictionary<string, string>.Empty),
        _process,
        new AccountTaints(),
        _rows,
        () => _told.Add(_rows.Chunks.Count),
        publish ?? (_ => Task.CompletedTask),
        maxOutputBytes,
        time ?? TimeProvider.System,
        NullLogger.Instance,
        recorded);
}
