using System.Net;
using System.Net.Http.Json;
using System.Text.Json;

namespace Cerver.Tests.Http;

/// <summary>Watching a session and an account over HTTP.</summary>
[Collection(nameof(GatewayFixture))]
public sealed class SessionStreamHttpTests(GatewayFixture gateway)
{
    [Fact]
    public async Task A_watcher_sees_everything_that_happens_in_a_session_until_it_ends_and_a_replay_is_the_same()
    {
        var session = await gateway.CreateAsync(new { compute = "local" });
        using var live = await WatchAsync(session);
        Assert.Equal("0 status running", Describe(await live.NextAsync()));

        await AppendAsync(session, "hello");
        Assert.Equal("1 entry 0 hello", Describe(await live.NextAsync()));
        using var ran = await gateway.Client.PostAsJsonAsync($"/v2/sessions/{session}/run", new { code = "echo out; sleep 0.1; echo err >&2; exit 3" });
        var run = (await GatewayFixture.JsonAsync(ran)).GetProperty("run_id").GetString();
        using var ended = await gateway.Client.DeleteAsync($"/v2/sessions/{session}");
        var seen = await live.ToEndAsync();

        Assert.Equal(
            ["2 entry 1 ", "3 run", "4 stdout out\n", "5 stderr err\n", "6 entry 2 out\nerr\n", "7 exit 3", "8 status ended"],
            seen.Select(Describe));
        Assert.All(seen.Where(frame => frame.Event is "run" or "stdout" or "stderr" or "exit"), frame => Assert.Equal(run, frame.Data.GetProperty("run_id").GetString()));
        using var replay = await WatchAsync(session);
        var whole = await replay.ToEndAsync();
        Assert.Equal(seen.Select(Raw), whole.Skip(2).Select(Raw));
        using var part = await WatchAsync(session, "?last_event_id=4");
        Assert.Equal(seen.Skip(3).Select(Raw), (await part.ToEndAsync()).Select(Raw));
    }

    [Fact]
    public async Task A_watcher_of_an_idle_session_hears_of_what_comes_later_and_of_its_erasure()
    {
        var session = await gateway.CreateTranscriptAsync();
        await AppendAsync(session, "before");
        using var watcher = await WatchAsync(session, "?last_event_id=1");

        await AppendAsync(session, "later");
        var later = await watcher.NextAsync();
        using var erased = await gateway.Client.DeleteAsync($"/v2/sessions/{session}?purge=1");
        var last = await watcher.ToEndAsync();

        Assert.Equal("2 entry 1 later", Describe(later));

        // It ended before it was erased; which of the two is heard of first is a matter of luck.
        Assert.Contains(Describe(last[^1]), (string[])["3 status ended", $"{last[^1].Id} error not_found"]);
    }

    [Theory]
    [InlineData("?last_event_id=7")]
    [InlineData("?after=-1")]
    [InlineData("?after=x")]
    public async Task A_position_that_the_session_has_not_come_to_is_refused(string query)
    {
        var session = await gateway.CreateTranscriptAsync();

        using var response = await gateway.Client.GetAsync($"/v2/sessions/{session}/stream{query}");

        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
    }

    [Fact]
    public async Task Another_accounts_session_cannot_be_watched()
    {
        var session = await gateway.CreateTranscriptAsync();

        using var response = await gateway.Other.GetAsync($"/v2/sessions/{session}/stream");

        Assert.Equal(HttpStatusCode.NotFound, response.StatusCode);
    }

    [Fact]
    public async Task An_accounts_sessions_are_told_of_as_they_change_and_no_others()
    {
        using var watcher = await FrameReader.GetAsync(gateway.Client, "/v2/sessions/stream");
        var ready = await watcher.NextAsync();
        using var foreign = await gateway.Other.PostAsJsonAsync("/v2/sessions", new { session_type = "transcript" });

        using var erased = await gateway.Other.DeleteAsync($"/v2/sessions/{(await GatewayFixture.JsonAsync(foreign)).GetProperty("session_id")}?purge=1");
        var session = await gateway.CreateTranscriptAsync();
        var created = await ReadOfAsync(watcher, session, total: 0);
        await AppendAsync(session, "hello");
        var appended = await ReadOfAsync(watcher, session, total: 1);
        using var again = await FrameReader.GetAsync(gateway.Client, $"/v2/sessions/stream?after={created.Id}");
        Assert.Equal("ready", (await again.NextAsync()).Event);
        var replayed = await ReadOfAsync(again, session, total: 1);

        Assert.Equal(("ready", "session"), (ready.Event, created.Event));
        Assert.True(long.Parse(ready.Id, System.Globalization.CultureInfo.InvariantCulture) <= long.Parse(created.Id, System.Globalization.CultureInfo.InvariantCulture));
        Assert.Equal("idle", created.Data.GetProperty("status").GetString());
        Assert.Equal(Raw(appended)[Raw(appended).IndexOf('{', StringComparison.Ordinal)..], Raw(replayed)[Raw(replayed).IndexOf('{', StringComparison.Ordinal)..]);
    }

    private static async Task<Frame> ReadOfAsync(FrameReader watcher, string session, int total)
    {
        while (true)
        {
            var frame = await watcher.NextAsync();
            if (frame.Data.GetProperty("sessionId").GetString() == session && frame.Data.GetProperty("transcriptTotal").GetInt32() == total)
            {
                return frame;
            }
        }
    }

    private Task<FrameReader> WatchAsync(string session, string query = "") =>
        FrameReader.GetAsync(gateway.Client, $"/v2/sessions/{session}/stream{query}");

    private async Task AppendAsync(string session, string content)
    {
        using var appended = await gateway.Client.PostAsJsonAsync($"/v2/sessions/{session}/transcript", new { entries = new[] { new { role = "user", content } } });
        Assert.Equal(HttpStatusCode.Created, appended.StatusCode);
    }

    private static string Raw(Frame frame) => $"{frame.Id} {frame.Event} {frame.Data.GetRawText()}";

    private static string Describe(Frame frame) => $"{frame.Id} {frame.Event}" + frame.Event switch
    {
        "entry" => $" {frame.Data.GetProperty("index")} {frame.Data.GetProperty("entry").GetProperty("content")}",
        "status" => $" {frame.Data.GetProperty("status")}",
        "stdout" or "stderr" => $" {frame.Data.GetProperty("data")}",
        "exit" => $" {frame.Data.GetProperty("exit_code")}",
        "error" => $" {frame.Data.GetProperty("code")}",
        _ => "",
    };
}
