using System.Net.Http.Json;
using System.Net.WebSockets;
using System.Text.Json;
using Cerver.Computes;
using Cerver.Errors;
using Cerver.Tests.Secrets.Leaks;
using static Cerver.Tests.Computes.Machines.MachineGateway;

namespace Cerver.Tests.Computes.Machines;

/// <summary>What goes over a machine's socket, with a relay that does what it should not.</summary>
public sealed class MachineChannelTests(MachineGateway gateway) : IClassFixture<MachineGateway>
{
    [Fact]
    public async Task A_request_reaches_the_machine_and_its_answer_comes_back()
    {
        var (computeId, relay) = await gateway.ConnectAsync();
        await using var _ = relay;
        var request = Request("POST", "/api/cerver/provider/sandboxes", """{"engine":"shell"}""") with { Headers = Request().Headers.Add("X-Note", "ä") };

        var asked = gateway.Machine(computeId).RequestAsync(request);
        var frame = await relay.NextAsync();
        await relay.SendAsync(new { type = "response", request_id = frame.GetProperty("request_id").GetString(), status = 201, headers = new { a = "b", c = 1 }, body = new { sandbox_id = "s1" } });
        var answer = await asked;

        Assert.Equal(
            $$$"""{"type":"request","request_id":"{{{frame.GetProperty("request_id").GetString()}}}","method":"POST","path":"/api/cerver/provider/sandboxes","headers":{"X-Note":"ä"},"body":{"engine":"shell"}}""",
            frame.GetRawText());
        Assert.Equal((201, """{"sandbox_id":"s1"}"""), (answer.Status, answer.Body));
        Assert.Equal([("a", "b")], answer.Headers.Select(static header => (header.Key, header.Value)));
    }

    [Fact]
    public async Task Answers_come_in_any_order_and_each_to_its_own_request()
    {
        const int Count = 20;
        var (computeId, relay) = await gateway.ConnectAsync();
        await using var _ = relay;

        var asked = Enumerable.Range(0, Count).Select(number => gateway.Machine(computeId).RequestAsync(Request(path: $"/{number}"))).ToList();
        var frames = new List<JsonElement>();
        while (frames.Count < Count)
        {
            frames.Add(await relay.NextAsync());
        }

        foreach (var frame in frames.AsEnumerable().Reverse())
        {
            await relay.AnswerAsync(frame, frame.GetProperty("path").GetString());
        }

        var answers = await Task.WhenAll(asked);
        Assert.Equal(Enumerable.Range(0, Count).Select(static number => $"\"/{number}\""), answers.Select(static answer => answer.Body));
        Assert.Equal(Count, frames.Select(static frame => frame.GetProperty("request_id").GetString()).Distinct(StringComparer.Ordinal).Count());
    }

    [Fact]
    public async Task Late_duplicate_and_unknown_frames_are_ignored()
    {
        var (computeId, relay) = await gateway.ConnectAsync();
        await using var _ = relay;
        var late = gateway.Machine(computeId).RequestAsync(Request(deadline: TimeSpan.FromMilliseconds(50)));
        var lateFrame = await relay.NextAsync();
        var gaveUp = await Assert.ThrowsAsync<CerverException>(() => late);

        var asked = gateway.Machine(computeId).RequestAsync(Request());
        var frame = await relay.NextAsync();
        await relay.AnswerAsync(lateFrame, "late");
        await relay.SendAsync(new { type = "response", request_id = "req_unknown", status = 200, headers = new { }, body = "unknown" });
        await relay.SendAsync(new { type = "pong" });
        await relay.SendAsync(new { type = "something_new", request_id = frame.GetProperty("request_id").GetString() });
        await relay.SendAsync("{}");
        await relay.AnswerAsync(frame, "first");
        await relay.AnswerAsync(frame, "second");
        var answer = await asked;
        var next = gateway.Machine(computeId).RequestAsync(Request());
        await relay.AnswerAsync(await relay.NextAsync(), body: null, status: 404);

        Assert.Equal(CerverError.ProviderUnavailable, gaveUp.Code);
        Assert.Contains("not known", gaveUp.Message, StringComparison.Ordinal);
        Assert.Equal("\"first\"", answer.Body);
        Assert.Equal((404, null), ((await next).Status, (await next).Body));
    }

    [Fact]
    public async Task A_frame_that_means_nothing_is_ignored_and_too_many_in_a_row_end_the_socket()
    {
        var (computeId, relay) = await gateway.ConnectAsync();
        await using var _ = relay;
        string[] bad = ["no JSON", "[1]", "null", """{"type":"response"}""", """{"type":"response","request_id":"r","status":"200"}""", """{"type":"response","request_id":"r","status":99}""", """{"type":"response","request_id":"\ud800","status":200}"""];
        foreach (var text in bad)
        {
            await relay.SendAsync(text);
        }

        await relay.SendAsync([1, 2, 3], WebSocketMessageType.Binary);
        var asked = gateway.Machine(computeId).RequestAsync(Request());
        await relay.AnswerAsync(await relay.NextAsync(), "still there");
        var answer = await asked;
        for (var sent = 0; sent < 10; sent++)
        {
            await relay.SendAsync("nonsense");
        }

        Assert.Equal("\"still there\"", answer.Body);
        Assert.Equal(WebSocketCloseStatus.PolicyViolation, await relay.EndedAsync());
    }

    [Fact]
    public async Task A_frame_that_is_too_large_ends_the_socket_and_one_that_just_fits_does_not()
    {
        var (computeId, relay) = await gateway.ConnectAsync();
        await using var _ = relay;
        var asked = gateway.Machine(computeId).RequestAsync(Request());
        var frame = await relay.NextAsync();
        var around = $$"""{"type":"response","request_id":"{{frame.GetProperty("request_id").GetString()}}","status":200,"body":""}""";
        await relay.SendAsync(around.Replace("\"body\":\"\"", $"\"body\":\"{new string('x', 1_048_576 - around.Length)}\"", StringComparison.Ordinal));
        var answer = await asked;

        await relay.SendAsync(new string('x', 1_048_577));

        Assert.Equal(1_048_576 - around.Length + 2, answer.Body!.Length);
        Assert.Equal(WebSocketCloseStatus.MessageTooBig, await relay.EndedAsync());
        await gateway.UntilAsync(computeId, "offline");
    }

    [Fact]
    public async Task A_request_that_is_too_large_is_refused_and_not_sent()
    {
        var (computeId, relay) = await gateway.ConnectAsync();
        await using var _ = relay;

        var refusal = await Assert.ThrowsAsync<CerverException>(() => gateway.Machine(computeId).RequestAsync(Request("POST", body: $"\"{new string('x', 1_048_576)}\"")));
        var asked = gateway.Machine(computeId).RequestAsync(Request("POST", body: $"\"{new string('x', 1_048_000)}\""));
        var frame = await relay.NextAsync();
        await relay.AnswerAsync(frame, "fits");

        Assert.Equal(CerverError.PayloadTooLarge, refusal.Code);
        Assert.Contains("1048576 bytes", refusal.Message, StringComparison.Ordinal);
        Assert.Equal("\"fits\"", (await asked).Body);
    }

    [Fact]
    public async Task A_second_socket_takes_the_place_of_the_first_whose_end_changes_nothing()
    {
        var (computeId, first) = await gateway.ConnectAsync();
        await using var _ = first;
        var underWay = gateway.Machine(computeId).RequestAsync(Request());
        var lost = await first.NextAsync();

        await using var second = await ScriptedRelay.ConnectAsync(gateway.Address, computeId, Token);
        var failed = await Assert.ThrowsAsync<CerverException>(() => underWay);
        var ended = await first.EndedAsync();
        var asked = gateway.Machine(computeId).RequestAsync(Request());
        var frame = await second.NextAsync();
        await second.AnswerAsync(lost, "to a request of the other socket");
        await second.AnswerAsync(frame, "second");

        Assert.Equal(CerverError.ComputeOffline, failed.Code);
        Assert.Contains("not known", failed.Message, StringComparison.Ordinal);
        Assert.Null(ended);
        Assert.Equal("\"second\"", (await asked).Body);
        Assert.Equal("ready", (await gateway.GetAsync(computeId)).GetProperty("status").GetString());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task What_is_under_way_fails_at_once_when_the_machine_goes_away(bool isInOrder)
    {
        var (computeId, relay) = await gateway.ConnectAsync();
        await using var _ = relay;
        var underWay = Enumerable.Range(0, 3).Select(number => gateway.Machine(computeId).RequestAsync(Request("POST", $"/{number}"))).ToList();
        await relay.NextAsync();

        if (isInOrder)
        {
            await relay.CloseAsync();
        }
        else
        {
            relay.Vanish();
        }

        foreach (var asked in underWay)
        {
            Assert.Equal(CerverError.ComputeOffline, (await Assert.ThrowsAsync<CerverException>(() => asked)).Code);
        }

        await gateway.UntilAsync(computeId, "offline");
        var refusal = await Assert.ThrowsAsync<CerverException>(() => gateway.Machine(computeId).RequestAsync(Request()));
        Assert.Equal(CerverError.ComputeOffline, refusal.Code);
        Assert.Contains("Nothing was sent", refusal.Message, StringComparison.Ordinal);
        await using var again = await ScriptedRelay.ConnectAsync(gateway.Address, computeId, Token);
        var asking = gateway.Machine(computeId).RequestAsync(Request());
        await again.AnswerAsync(await again.NextAsync(), "back");
        Assert.Equal("\"back\"", (await asking).Body);
    }

    [Fact]
    public async Task More_than_256_requests_at_once_are_refused()
    {
        var (computeId, relay) = await gateway.ConnectAsync();
        await using var _ = relay;
        var underWay = Enumerable.Range(0, 256).Select(_ => gateway.Machine(computeId).RequestAsync(Request())).ToList();
        var frames = new List<JsonElement>();
        while (frames.Count < underWay.Count)
        {
            frames.Add(await relay.NextAsync());
        }

        var refusal = await Assert.ThrowsAsync<CerverException>(() => gateway.Machine(computeId).RequestAsync(Request()));
        foreach (var frame in frames)
        {
            await relay.AnswerAsync(frame, "done");
        }

        await Task.WhenAll(underWay);
        Assert.Equal(CerverError.RateLimited, refusal.Code);
    }

    [Fact]
    public async Task Each_request_has_a_time_of_its_own()
    {
        var (computeId, relay) = await gateway.ConnectAsync();
        await using var _ = relay;
        var patient = gateway.Machine(computeId).RequestAsync(Request());
        var frame = await relay.NextAsync();

        var refusal = await Assert.ThrowsAsync<CerverException>(() => gateway.Machine(computeId).RequestAsync(Request(deadline: TimeSpan.FromMilliseconds(20))));
        await relay.AnswerAsync(frame, "in time");

        Assert.Contains("within 0.02 s", refusal.Message, StringComparison.Ordinal);
        Assert.Equal("\"in time\"", (await patient).Body);
    }

    [Fact]
    public async Task A_gateway_that_stops_breaks_off_and_closes_nothing_in_order()
    {
        var own = new MachineGateway();
        await own.InitializeAsync();
        var (_, relay) = await own.ConnectAsync();
        await using (relay)
        {
            await own.ShutDownAsync();

            Assert.Null(await relay.EndedAsync());
        }

        await own.DisposeAsync();
    }

    [Fact]
    public async Task A_machine_too_many_is_refused_before_it_has_a_socket_and_comes_in_later()
    {
        var own = new MachineGateway("--Cerver:Api:MaxMachines", "1");
        await own.InitializeAsync();
        var (_, relay) = await own.ConnectAsync();
        var other = await own.RegisterAsync();
        var refusal = await Assert.ThrowsAsync<WebSocketException>(() => ScriptedRelay.DialAsync(own.Address, other, Token));
        await relay.CloseAsync();
        await relay.DisposeAsync();
        var isIn = false;
        using var poll = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        while (!isIn)
        {
            // The place of the first is free when the gateway has told its grain.
            try
            {
                await using var second = await ScriptedRelay.ConnectAsync(own.Address, other, Token);
                isIn = true;
            }
            catch (WebSocketException refused) when (refused.Message.Contains("503", StringComparison.Ordinal))
            {
                await poll.WaitForNextTickAsync();
            }
        }

        await own.DisposeAsync();
        Assert.Contains("503", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_token_in_the_address_is_in_no_log_and_no_measure()
    {
        using var said = new TelemetryCapture();
        var own = new MachineGateway("--Logging:LogLevel:Default", "Trace", "--Logging:LogLevel:Cerver", "Trace");
        await own.InitializeAsync();
        said.ListenTo(own.Services, own.Address);
        var (computeId, relay) = await own.ConnectAsync();
        await using (relay)
        {
            await relay.SendAsync("nonsense");
            var asked = own.Machine(computeId).RequestAsync(Request());
            await relay.AnswerAsync(await relay.NextAsync(), "done");
            await asked;
            await relay.CloseAsync();
        }

        await own.DisposeAsync();

        Assert.Contains(computeId, said.Text, StringComparison.Ordinal);
        Assert.DoesNotContain(Token, said.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_the_account_was_given_is_not_in_what_its_machines_say()
    {
        const string Name = "CERVER_SECRET_OF_MACHINES";
        var secret = $"value-{Guid.NewGuid():n}";
        Environment.SetEnvironmentVariable(Name, secret);
        var own = new MachineGateway();
        await own.InitializeAsync();
        using var fetched = await own.Client.GetAsync(new Uri("/v2/secrets/OF_MACHINES", UriKind.Relative));
        var computeId = await own.RegisterAsync();
        using var beaten = await own.Client.PostAsJsonAsync($"/v2/computes/{computeId}/heartbeat", new { metadata = new { note = $"it is {secret}" } });
        var machine = await own.GetAsync(computeId);
        await own.DisposeAsync();
        Environment.SetEnvironmentVariable(Name, null);

        Assert.True(fetched.IsSuccessStatusCode && beaten.IsSuccessStatusCode);
        Assert.Equal("""{"note":"it is [secret:OF_MACHINES]"}""", machine.GetProperty("metadata").GetRawText());
    }
}
