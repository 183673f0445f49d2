using System.Net;
using System.Net.Http.Json;

namespace Cerver.Tests.Silo;

/// <summary>A disk that fails while the gateway writes to it.</summary>
public sealed class FailedFlushTests : IDisposable
{
    private readonly string _data = Directory.CreateTempSubdirectory("cerver-flush-").FullName;

    [Theory]
    [InlineData("fsync,fdatasync")]
    [InlineData("pwrite64")]
    public async Task A_write_that_fails_is_not_promised_away_and_the_next_start_has_all_that_was_acknowledged(string calls)
    {
        string session;
        string[] acknowledged = [.. Enumerable.Range(0, 20).Select(i => $"entry {i}")];
        await using (var gateway = await GatewayProcess.StartAsync(_data))
        {
            session = await gateway.CreateAsync();
            foreach (var content in acknowledged)
            {
                using var appended = await gateway.AppendAsync(session, content);
                Assert.Equal(HttpStatusCode.Created, appended.StatusCode);
            }

            await using var fault = await SystemCallFault.InjectAsync(gateway.Id, calls, "error=EIO");
            using var failed = await gateway.AppendAsync(session, "in doubt");
            var sentence = await GatewayProcess.RefusedAsync(failed);
            var (exitCode, error) = await gateway.EndedAsync();

            Assert.Contains("is not known", sentence, StringComparison.Ordinal);
            Assert.DoesNotContain("nothing was changed", sentence, StringComparison.Ordinal);
            Assert.Equal(75, exitCode);
            Assert.Contains(Path.Combine(_data, "cerver.db"), Assert.Single(error.Split('\n', StringSplitOptions.RemoveEmptyEntries)), StringComparison.Ordinal);
        }

        await using var again = await GatewayProcess.StartAsync(_data);
        var found = await again.ReadAsync(session);
        using var next = await again.AppendAsync(session, "next");
        var after = await again.ReadAsync(session);

        Assert.Equal(acknowledged, found.Except(["in doubt"], StringComparer.Ordinal));
        Assert.Equal(HttpStatusCode.Created, next.StatusCode);
        Assert.Equal([.. found, "next"], after);
        await again.StopAsync();
        SoundData.Require(_data);
    }

    [Fact]
    public async Task A_flush_that_fails_when_the_log_is_moved_into_the_file_stops_the_gateway_too()
    {
        string session;
        var large = new string('x', 1_000_000);
        await using (var gateway = await GatewayProcess.StartAsync(_data))
        {
            session = await gateway.CreateAsync();

            // The first flush of a thread is that of the commit.
            await using var fault = await SystemCallFault.InjectAsync(gateway.Id, "fsync,fdatasync", "error=EIO:when=2+");
            using var appended = await gateway.Client.PostAsync(
                new Uri($"/v2/sessions/{session}/transcript", UriKind.Relative),
                JsonContent.Create(new { entries = Enumerable.Repeat(new { role = "user", content = large }, 6) }));
            var (exitCode, _) = await gateway.EndedAsync();

            Assert.Equal((HttpStatusCode.Created, 75), (appended.StatusCode, exitCode));
        }

        await using var again = await GatewayProcess.StartAsync(_data);
        Assert.Equal(Enumerable.Repeat(large, 6), await again.ReadAsync(session));
        await again.StopAsync();
        SoundData.Require(_data);
    }

    [Fact]
    public async Task A_flush_of_the_state_of_sandboxes_that_fails_stops_the_gateway_too()
    {
        var body = new { compute = "local", requirements = new { runtime = "shell" } };
        await using (var gateway = await GatewayProcess.StartAsync(_data))
        {
            await gateway.CreateAsync(body);
            await using var fault = await SystemCallFault.InjectAsync(
                gateway.Id, "fsync,fdatasync", "error=EIO", Path.Combine(_data, "orleans.db-wal"));
            using var refused = await gateway.Client.PostAsJsonAsync("/v2/sessions", body);
            await GatewayProcess.RefusedAsync(refused);
            var (exitCode, error) = await gateway.EndedAsync();

            Assert.Equal(75, exitCode);
            Assert.Contains(Path.Combine(_data, "orleans.db"), error, StringComparison.Ordinal);
        }

        await using var again = await GatewayProcess.StartAsync(_data);
        await again.CreateAsync(body);
        await again.StopAsync();
        SoundData.Require(_data);
    }

    public void Dispose() => Directory.Delete(_data, recursive: true);
}
