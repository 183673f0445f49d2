using System.Collections.Immutable;
using System.IO.Pipelines;
using System.Text;
using System.Text.Json;
using Cerver.Api.Sessions.Exports;
using Cerver.Sessions;
using Cerver.Tests.Api;

namespace Cerver.Tests.Sessions;

public sealed class TranscriptExportTests
{
    private const int PageEntries = 1_000;
    private const string Nasty = "```\n````json\r# not a heading\r\n[0] not an entry\u2028## 1 · user\u0085end`````";

    [Fact]
    public async Task Text_is_a_head_and_entries_whose_content_is_indented()
    {
        var text = await ExportAsync(
            TranscriptFormat.Text,
            new(Examples.Noon, EntryRole.User, EntryKinds.Text, "Why\nnot?\n"),
            new(Examples.Noon.AddMicroseconds(1_500), EntryRole.Assistant, EntryKinds.ToolUse, "", "call_1", "run", """{"code":"ls\npwd","timeout":3,"envs":{"A":"1"}}"""),
            new(Examples.Noon, EntryRole.Tool, EntryKinds.ToolResult, "oops", "call_1", IsError: true));

        Assert.Equal(
            """
            Session: A session
            Id:      01980000-0000-7000-8000-000000000001
            Created: 2026-05-01T12:00:00Z
            Entries: 3

            [0] 2026-05-01T12:00:00Z user
                Why
                not?

            [1] 2026-05-01T12:00:00.0015Z assistant tool_use run (call_1)
                code:
                    ls
                    pwd
                timeout:
                    3
                envs:
                    {"A":"1"}

            [2] 2026-05-01T12:00:00Z tool tool_result (call_1) failed
                oops

            """,
            text);
    }

    [Fact]
    public async Task Markdown_is_headings_quotes_and_fences()
    {
        var markdown = await ExportAsync(
            TranscriptFormat.Markdown,
            new(Examples.Noon, EntryRole.User, EntryKinds.Text, "Why\nnot?"),
            new(Examples.Noon, EntryRole.Assistant, EntryKinds.ToolUse, null, "call_1", "run", """{"code":"ls"}"""),
            new(Examples.Noon, EntryRole.Tool, EntryKinds.ToolResult, "a ```` b\n", "call_1", IsError: true));

        Assert.Equal(
            """
            # A session

            - Session: `01980000-0000-7000-8000-000000000001`
            - Created: 2026-05-01T12:00:00Z
            - Entries: 3

            ## 0 · user

            2026-05-01T12:00:00Z

            > Why
            > not?

            ## 1 · assistant · tool\_use · run

            2026-05-01T12:00:00Z · call\_1

            ```json
            {"code":"ls"}
            ```

            ## 2 · tool · tool\_result · failed

            2026-05-01T12:00:00Z · call\_1

            `````
            a ```` b
            `````

            """,
            markdown);
    }

    [Theory]
    [InlineData(EntryKinds.Text)]
    [InlineData(EntryKinds.ToolResult)]
    public async Task No_content_passes_for_the_next_entry_in_text(string kind)
    {
        var text = await ExportAsync(TranscriptFormat.Text, Entry(Nasty, kind), Entry("last"));

        var margins = text.Split('\n', '\r', '\u2028', '\u0085').Skip(4).Where(line => line.Length > 0 && line[0] != ' ');
        Assert.Equal(["[0]", "[1]"], margins.Select(line => line[..3]));
    }

    [Fact]
    public async Task No_content_breaks_out_of_its_quote_or_its_fence_in_markdown()
    {
        var markdown = await ExportAsync(
            TranscriptFormat.Markdown, Entry(Nasty), Entry(Nasty, EntryKinds.ToolResult), new(Examples.Noon, EntryRole.Assistant, EntryKinds.ToolUse, null, ToolInput: $$"""{"a":{{JsonSerializer.Serialize(Nasty)}}}"""), Entry("last"));

        Assert.Equal(["0", "1", "2", "3"], HeadingsOf(markdown));
    }

    [Fact]
    public async Task Names_stay_within_their_line()
    {
        var session = Examples.Session with { SessionName = "a\n## 0 · <b>*x*\u2028y" };
        var tool = new TranscriptEntry(Examples.Noon, EntryRole.Tool, "odd\rkind", "x", "id\n[9]", "na\nme");

        Assert.StartsWith("Session: a ## 0 · <b>*x* y\nId: ", await ExportOfAsync(session, TranscriptFormat.Text, tool), StringComparison.Ordinal);
        Assert.Contains("\n[0] 2026-05-01T12:00:00Z tool odd kind na me (id [9])\n", await ExportOfAsync(session, TranscriptFormat.Text, tool), StringComparison.Ordinal);
        Assert.StartsWith(@"# a \#\# 0 · \<b\>\*x\* y" + "\n\n", await ExportOfAsync(session, TranscriptFormat.Markdown, tool), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Json_lines_give_every_entry_back_as_it_was()
    {
        var lines = (await ExportAsync(TranscriptFormat.JsonLines, Entry(Nasty), Entry(null!, EntryKinds.ToolUse))).Split('\n');

        Assert.Equal(4, lines.Length);
        Assert.Equal("", lines[3]);
        using var head = JsonDocument.Parse(lines[0]);
        Assert.Equal(("A session", 2), (head.RootElement.GetProperty("session").GetProperty("sessionName").GetString(), head.RootElement.GetProperty("session").GetProperty("transcript_total").GetInt32()));
        using var entry = JsonDocument.Parse(lines[1]);
        Assert.Equal((0, Nasty), (entry.RootElement.GetProperty("index").GetInt32(), entry.RootElement.GetProperty("content").GetString()));
        Assert.Equal("""{"index":1,"at":"2026-05-01T12:00:00Z","role":"tool","kind":"tool_use","content":null}""", lines[2]);
    }

    [Theory]
    [InlineData(TranscriptFormat.Text)]
    [InlineData(TranscriptFormat.Markdown)]
    [InlineData(TranscriptFormat.JsonLines)]
    public async Task Two_hundred_thousand_entries_take_the_memory_of_a_page(string format)
    {
        const int Total = 200_000;
        var transcript = new Transcript(Total);
        var output = new CountingWriter();
        transcript.BeforePage = () => Assert.Equal(0, output.UnflushedBytes);

        await transcript.Export(format).WriteAsync(output, CancellationToken.None);

        Assert.Equal(Total / PageEntries, transcript.Pages);
        Assert.InRange(output.Lines, Total, long.MaxValue);
        Assert.InRange(output.MostUnflushedBytes, 1, (64 * 1_024) + 1_024);
        Assert.InRange(transcript.MostPagesAlive, 1, 3);
    }

    [Fact]
    public async Task A_client_that_does_not_read_holds_up_the_reading_of_pages()
    {
        var transcript = new Transcript(20_000);
        var pipe = new Pipe(new PipeOptions(pauseWriterThreshold: 64 * 1_024, resumeWriterThreshold: 32 * 1_024, useSynchronizationContext: false));

        var writing = transcript.Export(TranscriptFormat.Text).WriteAsync(pipe.Writer, CancellationToken.None);

        Assert.False(writing.IsCompleted);
        Assert.InRange(transcript.Pages, 1, 2);
        var reading = pipe.Reader.CopyToAsync(Stream.Null);
        await writing;
        await pipe.Writer.CompleteAsync();
        await reading;
        Assert.Equal(20, transcript.Pages);
    }

    [Fact]
    public async Task Entries_that_come_during_the_export_are_not_in_it()
    {
        var first = new SessionPage(Examples.Session with { TranscriptTotal = 3 }, 0, [Entry("a"), Entry("b")]);
        var next = new SessionPage(Examples.Session with { TranscriptTotal = 9 }, 2, [Entry("c"), Entry("d")]);

        var lines = await ExportAsync(new TranscriptExport(TranscriptFormat.Of(TranscriptFormat.JsonLines), first, _ => Task.FromResult(next)));

        Assert.Equal(["a", "b", "c"], lines.Split('\n', StringSplitOptions.RemoveEmptyEntries).Skip(1).Select(static line => JsonDocument.Parse(line).RootElement.GetProperty("content").GetString()));
    }

    [Theory]
    [InlineData(2, 0)]
    [InlineData(1, 1)]
    public async Task A_page_that_is_not_the_next_one_is_a_failure(long at, int count)
    {
        var first = new SessionPage(Examples.Session with { TranscriptTotal = 3 }, 0, [Entry("a"), Entry("b")]);
        var export = new TranscriptExport(
            TranscriptFormat.Of(TranscriptFormat.Text), first, _ => Task.FromResult(first with { First = at, Entries = [.. Enumerable.Repeat(Entry("x"), count)] }));

        await Assert.ThrowsAsync<InvalidOperationException>(() => ExportAsync(export));
    }

    private static TranscriptEntry Entry(string content, string kind = EntryKinds.Text) => new(Examples.Noon, EntryRole.Tool, kind, content);

    private static Task<string> ExportAsync(string format, params TranscriptEntry[] entries) => ExportOfAsync(Examples.Session, format, entries);

    private static Task<string> ExportOfAsync(SessionRecord session, string format, params TranscriptEntry[] entries)
    {
        var page = new SessionPage(session with { TranscriptTotal = entries.Length }, 0, [.. entries]);
        return ExportAsync(new TranscriptExport(TranscriptFormat.Of(format), page, _ => throw new InvalidOperationException("There is no other page.")));
    }

    private static async Task<string> ExportAsync(TranscriptExport export)
    {
        using var file = new MemoryStream();
        var output = PipeWriter.Create(file, new StreamPipeWriterOptions(leaveOpen: true));
        await export.WriteAsync(output, CancellationToken.None);
        return Encoding.UTF8.GetString(file.ToArray());
    }

    /// <summary>
    /// The numbers of the headings of the second level that a reader of Markdown sees: those outside of quotes and fences.
    /// </summary>
    private static List<string> HeadingsOf(string markdown)
    {
        var headings = new List<string>();
        var fence = 0;
        foreach (var line in markdown.Split('\n', '\r'))
        {
            var backticks = line.Length - line.TrimStart('`').Length;
            if (fence > 0)
            {
                fence = backticks >= fence && line.Length == backticks ? 0 : fence;
            }
            else if (backticks >= 3)
            {
                fence = backticks;
            }
            else if (line.StartsWith('#'))
            {
                headings.Add(line.TrimStart('#').Trim().Split(' ')[0]);
            }
        }

        Assert.Equal(0, fence);
        return headings[1..];
    }

    /// <summary>A transcript of which only those pages exist that somebody holds on to.</summary>
    private sealed class Transcript(int total)
    {
        private readonly List<WeakReference> _pages = [];

        public Action BeforePage { get; set; } = static () => { };

        public int Pages => _pages.Count;

        public int MostPagesAlive { get; private set; }

        public TranscriptExport Export(string format) => new(TranscriptFormat.Of(format), Read(0), position => Task.FromResult(Read(position)));

        private SessionPage Read(long first)
        {
            BeforePage();
            if (_pages.Count % 50 == 49)
            {
                GC.Collect();
                MostPagesAlive = Math.Max(MostPagesAlive, _pages.Count(static page => page.IsAlive));
            }

            var entries = Enumerable.Range((int)first, (int)Math.Min(PageEntries, total - first)).Select(static number => Entry($"entry {number}")).ToImmutableArray();
            var page = new SessionPage(Examples.Session with { TranscriptTotal = total }, first, entries);
            _pages.Add(new WeakReference(page));
            return page;
        }
    }

    /// <summary>Drops what is written, and knows how much waited at most.</summary>
    private sealed class CountingWriter : PipeWriter
    {
        private byte[] _buffer = new byte[4_096];
        private long _unflushed;

        public override bool CanGetUnflushedBytes => true;

        public override long UnflushedBytes => _unflushed;

        public long MostUnflushedBytes { get; private set; }

        public long Lines { get; private set; }

        public override void Advance(int bytes)
        {
            Lines += _buffer.AsSpan(0, bytes).Count((byte)'\n');
            _unflushed += bytes;
            MostUnflushedBytes = Math.Max(MostUnflushedBytes, _unflushed);
        }

        public override Memory<byte> GetMemory(int sizeHint = 0)
        {
            if (_buffer.Length < sizeHint)
            {
                _buffer = new byte[sizeHint];
            }

            return _buffer;
        }

        public override Span<byte> GetSpan(int sizeHint = 0) => GetMemory(sizeHint).Span;

        public override ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default)
        {
            _unflushed = 0;
            return ValueTask.FromResult(default(FlushResult));
        }

        public override void CancelPendingFlush() => throw new NotSupportedException();

        public override void Complete(Exception? exception = null) => throw new NotSupportedException();
    }
}
