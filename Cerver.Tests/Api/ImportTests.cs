using System.IO.Pipelines;
using System.Net.Http.Headers;
using Cerver.Api;
using Cerver.Api.Sessions.Importing;
using Cerver.Errors;
using Cerver.Sessions;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;

namespace Cerver.Tests.Api;

/// <summary>What the front door does with a file.</summary>
public sealed class ImportTests : IAsyncLifetime
{
    private ApiHost _api = null!;

    public async Task InitializeAsync() => _api = await ApiHost.StartAsync(("Cerver:Api:MaxImportBytes", "100000"), ("Cerver:Api:MaxImportEntries", "2000"));

    public async Task DisposeAsync() => await _api.DisposeAsync();

    [Fact]
    public async Task A_part_whose_answer_was_lost_is_sent_again_and_added_once()
    {
        _api.Cluster.LostAnswers.Enqueue(new TimeoutException());

        using var answer = await ImportAsync(File(entries: 1_100));

        Assert.Equal((201, 1_100), (answer.Status, answer.Json.GetProperty("transcriptTotal").GetInt32()));
        var session = _api.Cluster.Session(SessionKey.For("alice", answer.Json.GetProperty("session_id").GetString()!));
        Assert.Equal([(0L, 500, false), (500L, 500, false), (1_000L, 100, true)], session.Imported.Select(part => (part.First, part.Entries.Length, part.IsLast)));
        Assert.Equal(Enumerable.Range(0, 1_100).Select(i => $"entry {i}"), session.Entries.Select(entry => entry.Content));
    }

    [Fact]
    public async Task A_database_that_refuses_in_the_middle_is_told_and_the_next_import_goes_on_from_there()
    {
        var file = File(entries: 700);
        using var first = await ImportAsync(file, _api.Cluster.LostAnswers.Enqueue);
        using var second = await ImportAsync(file);

        Assert.Equal((503, "storage_unavailable", "1"), (first.Status, first.Code, first.Response.Headers.RetryAfter?.ToString()));
        Assert.Equal((201, true), (second.Status, second.Json.GetProperty("imported").GetBoolean()));
        var session = _api.Cluster.Session(SessionKey.For("alice", second.Json.GetProperty("session_id").GetString()!));
        Assert.Equal([0L, 500L], session.Imported.Select(part => part.First));
    }

    [Fact]
    public async Task Large_entries_go_in_smaller_parts()
    {
        await using var api = await ApiHost.StartAsync();
        var file = string.Concat(Enumerable.Range(0, 8).Select(i => $"{{\"index\":{i},\"role\":\"user\",\"content\":\"{new string('x', 200_000)}\"}}\n"));

        using var answer = await ApiHost.SendAsync(api.Alice, HttpMethod.Post, "/v2/sessions/import", Content(file));

        var session = api.Cluster.Session(SessionKey.For("alice", answer.Json.GetProperty("session_id").GetString()!));
        Assert.Equal([3, 3, 2], session.Imported.Select(part => part.Entries.Length));
    }

    [Theory]
    [InlineData(2_001, "more than 2000 entries")]
    [InlineData(2_000, "larger than 100000 bytes")]
    public async Task A_file_beyond_a_limit_is_refused_before_anything_is_made_of_it(int entries, string reason)
    {
        var file = entries == 2_001 ? string.Concat(Enumerable.Repeat("{\"index\":0,\"role\":\"user\"}\n", entries)) : File(entries);

        using var answer = await ImportAsync(file);

        Assert.Equal((413, "payload_too_large"), (answer.Status, answer.Code));
        Assert.Contains(reason, answer.Text, StringComparison.Ordinal);
        Assert.Equal(0, _api.Cluster.GrainCount);
    }

    [Fact]
    public async Task Few_are_let_in_at_once_and_not_many_may_wait()
    {
        using var gate = new ImportGate(Options.Create(new ApiOptions { MaxConcurrentImports = 2 }));
        var first = await gate.EnterAsync(CancellationToken.None);
        using var second = await gate.EnterAsync(CancellationToken.None);
        var waiting = Enumerable.Range(0, 64).Select(_ => gate.EnterAsync(CancellationToken.None)).ToList();

        var refusal = await Assert.ThrowsAsync<CerverException>(() => gate.EnterAsync(CancellationToken.None));
        Assert.DoesNotContain(waiting, place => place.IsCompleted);
        first.Dispose();
        using var next = await waiting[0];

        Assert.Equal(CerverError.RateLimited, refusal.Code);
        Assert.DoesNotContain(waiting[1..], place => place.IsCompleted);
    }

    [Fact]
    public async Task A_file_that_does_not_arrive_is_not_waited_for_for_ever()
    {
        var time = new FakeTimeProvider();
        var context = new DefaultHttpContext();
        context.Features.Set<IRequestBodyPipeFeature>(new Body(new Pipe().Reader));

        var read = ImportBody.ReadAsync(context, format: null, new ApiOptions(), time);
        time.Advance(ImportBody.TimeLimit);

        Assert.Equal(StatusCodes.Status408RequestTimeout, (await Assert.ThrowsAsync<BadHttpRequestException>(() => read)).StatusCode);
    }

    private static string File(int entries) => string.Concat(Enumerable.Range(0, entries).Select(i => $"{{\"index\":{i},\"role\":\"user\",\"content\":\"entry {i}\"}}\n"));

    private static StringContent Content(string file) => new(file) { Headers = { ContentType = new MediaTypeHeaderValue("application/x-ndjson") } };

    private Task<Answer> ImportAsync(string file, Action<Exception>? fail = null)
    {
        fail?.Invoke(new CerverException(CerverError.StorageUnavailable, "The database takes no writes."));
        return ApiHost.SendAsync(_api.Alice, HttpMethod.Post, "/v2/sessions/import", Content(file));
    }

    private sealed class Body(PipeReader reader) : IRequestBodyPipeFeature
    {
        public PipeReader Reader => reader;
    }
}
