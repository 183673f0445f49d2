using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Cerver.Api.Sessions.Exports;
using Cerver.Errors;
using Cerver.Sessions;
using Cerver.Tests.Api;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using static Cerver.Tests.Http.GatewayFixture;

namespace Cerver.Tests.Http;

[Collection(nameof(GatewayFixture))]
public sealed class ExportHttpTests(GatewayFixture gateway)
{
    [Fact]
    public async Task A_transcript_of_several_pages_is_exported_whole()
    {
        var id = await gateway.CreateTranscriptAsync();
        foreach (var page in Enumerable.Range(0, 3_500).Chunk(1_000))
        {
            var entries = page.Select(static number => new { role = "user", content = $"entry {number}\r\n```\u2028" });
            using var appended = await gateway.Client.PostAsJsonAsync($"/v2/sessions/{id}/transcript", new { entries });
            Assert.Equal(HttpStatusCode.Created, appended.StatusCode);
        }

        var lines = (await gateway.Client.GetStringAsync(Export(id, "?format=jsonl"))).Split('\n');
        var text = await gateway.Client.GetStringAsync(Export(id));
        var markdown = await gateway.Client.GetStringAsync(Export(id, "?format=markdown"));

        Assert.Equal((3_502, ""), (lines.Length, lines[^1]));
        Assert.Equal(id, JsonDocument.Parse(lines[0]).RootElement.GetProperty("session").GetProperty("sessionId").GetString());
        var transcript = (await gateway.GetAsync($"/v2/sessions/{id}")).GetProperty("transcript").EnumerateArray().ToArray();
        for (var index = 0; index < transcript.Length; index++)
        {
            Assert.Equal($"{{\"index\":{index},{transcript[index].GetRawText()[1..]}", lines[index + 1]);
        }

        Assert.Equal(3_500, text.Split("    entry ").Length - 1);
        Assert.Equal(3_500, markdown.Split("> entry ").Length - 1);
    }

    [Theory]
    [InlineData("", "text/plain; charset=utf-8", "txt")]
    [InlineData("?format=text", "text/plain; charset=utf-8", "txt")]
    [InlineData("?format=markdown", "text/markdown; charset=utf-8", "md")]
    [InlineData("?format=jsonl", "application/x-ndjson", "jsonl")]
    public async Task An_empty_session_is_a_file_too(string query, string contentType, string extension)
    {
        var id = await gateway.CreateTranscriptAsync();

        using var response = await gateway.Client.GetAsync(Export(id, query));

        Assert.Equal((HttpStatusCode.OK, contentType), (response.StatusCode, response.Content.Headers.ContentType!.ToString()));
        Assert.Equal($"attachment; filename=\"cerver-session-{id}.{extension}\"", response.Content.Headers.ContentDisposition!.ToString());
        Assert.Contains(id, await response.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Another_accounts_session_is_not_there()
    {
        var id = await gateway.CreateTranscriptAsync();

        foreach (var (client, session) in ((HttpClient, string)[])[(gateway.Other, id), (gateway.Client, "01980000-0000-7000-8000-00000000ffff"), (gateway.Client, "nothing")])
        {
            await AssertRefusedAsync(client, Export(session), HttpStatusCode.NotFound, "not_found", field: null);
        }
    }

    [Theory]
    [InlineData("?format=pdf")]
    [InlineData("?format=Text")]
    [InlineData("?format=text&format=text")]
    public async Task A_format_that_is_not_one_is_refused(string query)
    {
        var id = await gateway.CreateTranscriptAsync();

        await AssertRefusedAsync(gateway.Client, Export(id, query), HttpStatusCode.BadRequest, "invalid_request", "format");
    }

    [Fact]
    public async Task An_export_that_fails_on_the_way_does_not_end_in_order()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        await using var app = builder.Build();
        var page = new SessionPage(Examples.Session with { TranscriptTotal = 2 }, 0, [new(Examples.Noon, EntryRole.User, EntryKinds.Text, "one")]);
        app.MapGet("/", () => (IResult)new TranscriptExport(
            TranscriptFormat.Of(TranscriptFormat.Text), page, _ => throw new CerverException(CerverError.StorageUnavailable, "The database is away.")));
        await app.StartAsync();
        using var client = new HttpClient { BaseAddress = new Uri(app.Urls.Single()) };

        await Assert.ThrowsAsync<HttpRequestException>(() => client.GetStringAsync(new Uri("/", UriKind.Relative)));
    }

    private static Uri Export(string id, string query = "") => new($"/v2/sessions/{id}/export{query}", UriKind.Relative);

    private static async Task AssertRefusedAsync(HttpClient client, Uri path, HttpStatusCode status, string code, string? field)
    {
        using var response = await client.GetAsync(path);
        var refusal = await JsonAsync(response);
        Assert.Equal((status, code), (response.StatusCode, refusal.GetProperty("code").GetString()));
        Assert.Equal(field, refusal.TryGetProperty("field", out var name) ? name.GetString() : null);
    }
}
