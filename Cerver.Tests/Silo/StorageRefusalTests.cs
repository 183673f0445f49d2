using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Microsoft.Data.Sqlite;

namespace Cerver.Tests.Silo;

/// <summary>A database that takes no writes for a while: disk full, read-only, busy. The gateway says so and goes on by itself.</summary>
public sealed class StorageRefusalTests
{
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task A_full_disk_refuses_appends_keeps_what_was_acknowledged_and_takes_more_when_there_is_room()
    {
        using var disk = new SmallDisk(megabytes: 8);
        await using var gateway = await GatewayProcess.StartAsync(disk.Data);
        var session = await gateway.CreateAsync();
        disk.Fill();
        var acknowledged = new List<string>();
        var refused = 0;

        // What does not fit is refused, and smaller ones still fit for a while.
        for (var i = 0; refused < 5 && i < 10_000; i++)
        {
            var content = $"{i} {new string('x', 3000)}";
            using var appended = await gateway.AppendAsync(session, content);
            if (appended.StatusCode == HttpStatusCode.Created)
            {
                acknowledged.Add(content);
            }
            else
            {
                await GatewayProcess.RefusedAsync(appended);
                refused++;
            }
        }

        Assert.Equal(5, refused);
        Assert.Equal(acknowledged, await gateway.ReadAsync(session));
        disk.Free();
        using var after = await gateway.AppendAsync(session, "after");

        Assert.Equal(HttpStatusCode.Created, after.StatusCode);
        Assert.Equal(acknowledged.Append("after"), await gateway.ReadAsync(session));
        await gateway.StopAsync();
        SoundData.Require(disk.Data);
    }

    [Fact]
    public async Task A_run_whose_output_finds_the_disk_full_ends_as_an_error_and_others_go_on()
    {
        using var disk = new SmallDisk(megabytes: 24);
        await using var gateway = await GatewayProcess.StartAsync(disk.Data);
        var session = await gateway.CreateAsync(new { compute = "local", requirements = new { runtime = "shell" } });
        var other = await gateway.CreateAsync(new { compute = "local", requirements = new { runtime = "shell" } });
        using var run = await gateway.Client.SendAsync(
            new HttpRequestMessage(HttpMethod.Post, $"/v2/sessions/{session}/run/stream")
            {
                Content = JsonContent.Create(new { code = "echo begun; sleep 3; while head -c 4000 /dev/zero | tr '\\0' y; do sleep 0.01; done", timeout = 120 }),
            },
            HttpCompletionOption.ResponseHeadersRead);
        using var frames = new StreamReader(await run.Content.ReadAsStreamAsync());
        await ReadUntilAsync(frames, "begun");

        disk.Fill();
        await UntilAsync(async () =>
        {
            using var appended = await gateway.AppendAsync(other, new string('x', 3000));
            return appended.StatusCode == HttpStatusCode.ServiceUnavailable;
        });
        using var reading = await gateway.Client.GetAsync(new Uri($"/v2/sessions/{other}", UriKind.Relative));
        await UntilAsync(() => Task.FromResult(gateway.Output.Contains("could not be recorded", StringComparison.Ordinal)));
        disk.Free();
        var end = await ReadUntilAsync(frames, "run_lost");
        var records = await gateway.Client.GetFromJsonAsync<JsonElement>($"/v2/sessions/{session}/runs");
        using var after = await gateway.Client.PostAsJsonAsync($"/v2/sessions/{other}/run", new { code = "echo fine" });

        Assert.Equal(HttpStatusCode.OK, reading.StatusCode);
        Assert.Contains("could not be stored", end, StringComparison.Ordinal);
        Assert.Equal("lost", records.GetProperty("runs")[0].GetProperty("status").GetString());
        Assert.Contains(await gateway.ReadAsync(session, role: "tool"), result => result.Contains("lost", StringComparison.Ordinal));
        Assert.Contains("fine", await after.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        await gateway.StopAsync();
        SoundData.Require(disk.Data);
    }

    [Fact]
    public async Task A_full_disk_under_the_state_of_sandboxes_refuses_new_ones_until_there_is_room()
    {
        using var disk = new SmallDisk(megabytes: 4);
        var data = Directory.CreateTempSubdirectory("cerver-state-").FullName;
        File.CreateSymbolicLink(Path.Combine(data, "orleans.db"), Path.Combine(disk.Data, "orleans.db"));
        try
        {
            await using var gateway = await GatewayProcess.StartAsync(data);
            var session = await gateway.CreateAsync();
            disk.Fill();

            var body = new { compute = "local", requirements = new { runtime = "shell" } };
            using var refused = await gateway.Client.PostAsJsonAsync("/v2/sessions", body);
            await GatewayProcess.RefusedAsync(refused);
            using var appended = await gateway.AppendAsync(session, "goes on");
            disk.Free();
            var created = await gateway.CreateAsync(body);
            using var run = await gateway.Client.PostAsJsonAsync($"/v2/sessions/{created}/run", new { code = "echo fine" });

            Assert.Equal((HttpStatusCode.Created, HttpStatusCode.OK), (appended.StatusCode, run.StatusCode));
            await gateway.StopAsync();
            SoundData.Require(data);
        }
        finally
        {
            Directory.Delete(data, recursive: true);
        }
    }

    [Fact]
    public async Task A_start_over_a_full_disk_or_a_read_only_one_says_so_and_succeeds_when_that_is_over()
    {
        using var disk = new SmallDisk(megabytes: 4);
        await using (var gateway = await GatewayProcess.StartAsync(disk.Data))
        {
            await gateway.StopAsync();
        }

        disk.Fill();
        var full = await EndedAsync(disk.Data);
        disk.Free();
        disk.SetReadOnly(true);
        var readOnly = await EndedAsync(disk.Data);
        disk.SetReadOnly(false);
        await using var again = await GatewayProcess.StartAsync(disk.Data);

        Assert.Equal((75, true), (full.ExitCode, full.Error.Contains("has room", StringComparison.Ordinal)));
        Assert.Equal((1, true), (readOnly.ExitCode, readOnly.Error.Contains("cannot be written", StringComparison.Ordinal)));
        Assert.All([full.Error, readOnly.Error], error => Assert.Single(error.Split('\n', StringSplitOptions.RemoveEmptyEntries)));
        await again.StopAsync();
        SoundData.Require(disk.Data);
    }

    [Fact]
    public async Task A_disk_that_turns_read_only_refuses_appends_until_it_can_be_written_again()
    {
        var data = Directory.CreateTempSubdirectory("cerver-readonly-").FullName;
        try
        {
            await using var gateway = await GatewayProcess.StartAsync(data);
            var session = await gateway.CreateAsync();

            // The system does not make a disk read-only in order while files are open for writing; it does so after an error, and answers
            // this.
            await using (await SystemCallFault.InjectAsync(gateway.Id, "pwrite64", "error=EROFS"))
            {
                using var refused = await gateway.AppendAsync(session, "refused");
                Assert.Contains("nothing was changed", await GatewayProcess.RefusedAsync(refused), StringComparison.Ordinal);
                Assert.Empty(await gateway.ReadAsync(session));
            }

            using var after = await gateway.AppendAsync(session, "after");
            Assert.Equal(HttpStatusCode.Created, after.StatusCode);
            Assert.Equal(["after"], await gateway.ReadAsync(session));
            await gateway.StopAsync();
            SoundData.Require(data);
        }
        finally
        {
            Directory.Delete(data, recursive: true);
        }
    }

    [Fact]
    public async Task A_database_that_somebody_else_holds_refuses_appends_until_it_is_let_go()
    {
        var data = Directory.CreateTempSubdirectory("cerver-busy-").FullName;
        try
        {
            await using var gateway = await GatewayProcess.StartAsync(data);
            var session = await gateway.CreateAsync();
            await using (var holder = new SqliteConnection($"Data Source={Path.Combine(data, "cerver.db")};Pooling=False"))
            {
                await holder.OpenAsync();
                await using var held = holder.BeginTransaction(deferred: false);
                using var refused = await gateway.AppendAsync(session, "refused");
                Assert.Contains("nothing was changed", await GatewayProcess.RefusedAsync(refused), StringComparison.Ordinal);
            }

            using var after = await gateway.AppendAsync(session, "after");
            Assert.Equal(HttpStatusCode.Created, after.StatusCode);
            Assert.Equal(["after"], await gateway.ReadAsync(session));
            await gateway.StopAsync();
            SoundData.Require(data);
        }
        finally
        {
            Directory.Delete(data, recursive: true);
        }
    }

    private static async Task<(int ExitCode, string Error)> EndedAsync(string data)
    {
        await using var gateway = GatewayProcess.Launch(data, urls: null, "--urls=http://127.0.0.1:0");
        return await gateway.EndedAsync();
    }

    private static async Task<string> ReadUntilAsync(StreamReader frames, string word)
    {
        using var limit = new CancellationTokenSource(Soon);
        while (await frames.ReadLineAsync(limit.Token) is { } line)
        {
            if (line.Contains(word, StringComparison.Ordinal))
            {
                return line;
            }
        }

        throw new InvalidOperationException($"The stream ended without '{word}'.");
    }

    private static async Task UntilAsync(Func<Task<bool>> isTrue)
    {
        using var limit = new CancellationTokenSource(Soon);
        while (!await isTrue())
        {
            limit.Token.ThrowIfCancellationRequested();
            await Task.Yield();
        }
    }
}
