using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json;
using System.Threading.Channels;
using Cerver.Api.Streams;
using Cerver.Errors;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;

namespace Cerver.Tests.Api;

public sealed class EventStreamResultTests : IAsyncDisposable
{
    private readonly SignallingTime _time = new();
    private readonly TestLifetime _lifetime = new();
    private readonly CancellationTokenSource _aborted = new();
    private readonly RecordingStream _body = new();
    private readonly Channel<EventFrame> _frames = Channel.CreateUnbounded<EventFrame>();

    [Fact]
    public async Task Frames_are_id_event_and_one_line_of_data()
    {
        _frames.Writer.TryWrite(new TextFrame(0, "begin"));
        _frames.Writer.TryWrite(new TextFrame(1, "two\nlines"));
        _frames.Writer.Complete();

        var context = await SendAsync();

        Assert.Equal("id: 0\nevent: text\ndata: {\"text\":\"begin\"}\n\nid: 1\nevent: text\ndata: {\"text\":\"two\\nlines\"}\n\n", _body.Text);
        Assert.Equal("text/event-stream", context.Response.ContentType);
        Assert.Equal("no-cache", context.Response.Headers.CacheControl);
        Assert.Equal("no", context.Response.Headers["X-Accel-Buffering"]);
    }

    [Fact]
    public async Task Frames_that_are_ready_together_leave_together()
    {
        for (var id = 0; id < 100; id++)
        {
            _frames.Writer.TryWrite(new TextFrame(id, "x"));
        }

        _frames.Writer.Complete();

        await SendAsync();

        Assert.InRange(_body.Flushes, 1, 3);
    }

    [Fact]
    public async Task The_headers_leave_before_there_is_an_event()
    {
        var sending = SendAsync();
        await _time.Waits.ReadAsync();

        Assert.True(_body.Flushes > 0);

        _frames.Writer.Complete();
        await sending;
    }

    [Fact]
    public async Task The_headers_reach_a_client_though_there_is_never_an_event()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrel().UseUrls("http://127.0.0.1:0");
        builder.Services.AddSingleton<TimeProvider>(_time);
        await using var app = builder.Build();
        app.MapGet("/", () => new EventStreamResult(ReadAsync(), after: null));
        await app.StartAsync();
        using var client = new HttpClient();

        // The clock of the stream stands still, so no comment can bring them.
        using var response = await client.GetAsync(new Uri(app.Urls.Single()), HttpCompletionOption.ResponseHeadersRead);

        Assert.Equal("text/event-stream", response.Content.Headers.ContentType!.MediaType);
        _frames.Writer.Complete();
        Assert.Empty(await response.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task A_comment_follows_fifteen_seconds_of_silence()
    {
        var sending = SendAsync();
        await _time.Waits.ReadAsync();

        _time.Advance(TimeSpan.FromSeconds(14.9));
        Assert.Empty(_body.Text);
        _time.Advance(TimeSpan.FromSeconds(0.1));
        await _time.Waits.ReadAsync();
        Assert.Equal(": ping\n\n", _body.Text);

        _frames.Writer.TryWrite(new TextFrame(7, "x"));
        _frames.Writer.Complete();
        await sending;
        Assert.Equal(": ping\n\nid: 7\nevent: text\ndata: {\"text\":\"x\"}\n\n", _body.Text);
    }

    [Fact]
    public async Task A_failure_is_an_error_event_at_the_position_of_the_last_event()
    {
        _frames.Writer.TryWrite(new TextFrame(3, "x"));
        _frames.Writer.Complete(new CerverException(CerverError.StorageUnavailable, "The database is away."));

        await SendAsync();

        Assert.EndsWith(
            "id: 3\nevent: error\ndata: {\"error\":\"The database is away.\",\"code\":\"storage_unavailable\"}\n\n", _body.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_failure_within_a_frame_does_not_spoil_the_next()
    {
        _frames.Writer.TryWrite(new TextFrame(3, "x"));
        _frames.Writer.Complete(new TimeoutException());

        await SendAsync();

        Assert.Contains("\"code\":\"timeout\"", _body.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_failure_that_is_nobodys_business_says_nothing_of_itself()
    {
        _frames.Writer.Complete(new InvalidOperationException("the password is swordfish"));

        await SendAsync(after: 9);

        Assert.StartsWith("id: 9\nevent: error\n", _body.Text, StringComparison.Ordinal);
        Assert.Contains("\"code\":\"internal\"", _body.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("swordfish", _body.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_client_that_goes_away_ends_the_reading_and_nothing_is_said()
    {
        var sending = SendAsync();
        await _time.Waits.ReadAsync();

        await _aborted.CancelAsync();
        await sending;

        Assert.Empty(_body.Text);
        Assert.False(_lifetime.WasAborted);
    }

    [Fact]
    public async Task A_gateway_that_stops_cuts_the_connection()
    {
        var sending = SendAsync();
        await _time.Waits.ReadAsync();

        _lifetime.StopApplication();
        await sending;

        Assert.True(_lifetime.WasAborted);
    }

    public async ValueTask DisposeAsync()
    {
        _aborted.Dispose();
        _lifetime.Dispose();
        await _body.DisposeAsync();
    }

    private async Task<DefaultHttpContext> SendAsync(long after = -1)
    {
        var services = new ServiceCollection().AddLogging().AddSingleton<TimeProvider>(_time).AddSingleton<IHostApplicationLifetime>(_lifetime);
        await using var provider = services.BuildServiceProvider();
        var context = new DefaultHttpContext { RequestServices = provider };
        context.Features.Set<IHttpRequestLifetimeFeature>(_lifetime);
        _lifetime.RequestAborted = _aborted.Token;
        context.Response.Body = _body;
        await new EventStreamResult(ReadAsync(), after).ExecuteAsync(context);
        return context;
    }

    private async IAsyncEnumerable<EventFrame> ReadAsync([EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        await foreach (var frame in _frames.Reader.ReadAllAsync(cancellationToken))
        {
            yield return frame;
        }
    }

    private sealed class TextFrame(long id, string text) : EventFrame(id)
    {
        public override ReadOnlySpan<byte> Event => "text"u8;

        public override void WriteData(Utf8JsonWriter writer)
        {
            writer.WriteStartObject();
            writer.WriteString("text", text);
            writer.WriteEndObject();
        }
    }

    /// <summary>Tells when somebody begins to wait.</summary>
    private sealed class SignallingTime : FakeTimeProvider
    {
        private readonly Channel<bool> _waits = Channel.CreateUnbounded<bool>();

        public ChannelReader<bool> Waits => _waits.Reader;

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            var timer = base.CreateTimer(callback, state, dueTime, period);
            _waits.Writer.TryWrite(item: true);
            return timer;
        }
    }

    private sealed class RecordingStream : MemoryStream
    {
        public int Flushes { get; private set; }

        public string Text => Encoding.UTF8.GetString(ToArray());

        public override Task FlushAsync(CancellationToken cancellationToken)
        {
            Flushes++;
            return Task.CompletedTask;
        }
    }
}
