using System.Collections.Immutable;
using Cerver.Computes;
using Cerver.Errors;
using Cerver.Grains.Computes;
using Cerver.Grains.Runs;
using Cerver.Grains.Secrets.Redaction;
using Cerver.Runs;
using Cerver.Tests.Computes;
using Microsoft.Extensions.Logging.Abstractions;

namespace Cerver.Tests.Runs;

public sealed class RunRecorderTests
{
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
    public async Task What_follows_the_rows_of_another_process_is_told_of_when_it_is_on_disk_and_not_before()
    {
        var (begun, done) = (new TaskCompletionSource(), new TaskCompletionSource());
        _rows.Chunks.Add(new RunChunk(1, OutputKind.Stdout, "before\n"u8.ToArray()));
        _rows.BeforeWrite = () =>
        {
            begun.TrySetResult();
            return done.Task;
        };
        var recorder = NewRecorder(recorded: new RecordedOutput(_rows, "account", "run_x"));
        var recording = recorder.RecordAsync();

        _process.Print("before\nafter\n");
        await begun.Task;
        var head = recorder.Head;
        done.SetResult();
        _process.End(0);
        var ended = await recording;

        Assert.Equal((1L, 2L), (head, ended.OutputHead));
        Assert.Equal("after\n"u8, _rows.Chunks[^1].Data);
    }

    private RunRecorder NewRecorder(long maxOutputBytes = 64 * 1024 * 1024, Func<RunOutput, Task>? publish = null, RecordedOutput? recorded = null) => new(
        "session",
        new SandboxRun("run_x", "code", SandboxRuntime.Shell, TimeSpan.FromMinutes(1), ImmutableDictionary<string, string>.Empty),
        _process,
        new AccountTaints(),
        _rows,
        () => _told.Add(_rows.Chunks.Count),
        publish ?? (_ => Task.CompletedTask),
        maxOutputBytes,
        TimeProvider.System,
        NullLogger.Instance,
        recorded);

    private sealed class RowsInMemory : IRunStore
    {
        public List<RunChunk> Chunks { get; } = [];

        public CerverException? Failure { get; set; }

        public Func<Task> BeforeWrite { get; set; } = static () => Task.CompletedTask;

        public async Task AppendOutputAsync(string sessionId, string runId, ImmutableArray<RunChunk> chunks, CancellationToken cancellationToken)
        {
            if (Failure is not null)
            {
                throw Failure;
            }

            await BeforeWrite();
            Chunks.AddRange(chunks);
        }

        public Task<RunRecord?> FindAsync(string accountId, string sessionId, string runId, CancellationToken cancellationToken) => throw new NotSupportedException();

        public Task<ImmutableArray<RunRecord>> ListAsync(string accountId, string sessionId, string? before, int limit, CancellationToken cancellationToken) => throw new NotSupportedException();

        public Task<ImmutableArray<RunRecord>> ListGoingAsync(string accountId, string sessionId, CancellationToken cancellationToken) => throw new NotSupportedException();

        public Task<ImmutableArray<RunChunk>> ReadOutputAsync(string accountId, string runId, long after, CancellationToken cancellationToken) =>
            Task.FromResult<ImmutableArray<RunChunk>>([.. Chunks.Where(chunk => chunk.Sequence > after)]);
    }
}
