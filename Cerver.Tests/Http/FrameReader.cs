using System.Net;
using System.Net.Http.Json;
using System.Text.Json;

namespace Cerver.Tests.Http;

/// <summary>Reads server-sent events as a client of the contract does: id, event, one line of data, a blank line, in that order.</summary>
internal sealed class FrameReader : IDisposable
{
    private readonly StreamReader _reader;

    private FrameReader(HttpResponseMessage response, Stream body)
    {
        Response = response;
        _reader = new StreamReader(body);
    }

    public HttpResponseMessage Response { get; }

    public static async Task<FrameReader> PostAsync(HttpClient client, string path, object body)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = JsonContent.Create(body) };
        var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        return new FrameReader(response, await response.Content.ReadAsStreamAsync());
    }

    /// <summary>Opens a stream that is there to be read.</summary>
    public static async Task<FrameReader> GetAsync(HttpClient client, string path)
    {
        var response = await client.GetAsync(new Uri(path, UriKind.Relative), HttpCompletionOption.ResponseHeadersRead);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        return new FrameReader(response, await response.Content.ReadAsStreamAsync());
    }

    /// <summary>The next frame; comments are passed over.</summary>
    public async Task<Frame> NextAsync() => await TryNextAsync() ?? throw new InvalidOperationException("The stream has ended.");

    /// <summary>All frames until the stream ends.</summary>
    public async Task<List<Frame>> ToEndAsync()
    {
        var frames = new List<Frame>();
        while (await TryNextAsync() is { } frame)
        {
            frames.Add(frame);
        }

        return frames;
    }

    private async Task<Frame?> TryNextAsync()
    {
        var line = await _reader.ReadLineAsync();
        while (line is not null && line.StartsWith(':'))
        {
            Assert.Equal("", await _reader.ReadLineAsync());
            line = await _reader.ReadLineAsync();
        }

        if (line is null)
        {
            return null;
        }

        var id = Field(line, "id: ");
        var name = Field(await _reader.ReadLineAsync(), "event: ");
        var data = Field(await _reader.ReadLineAsync(), "data: ");
        Assert.Equal("", await _reader.ReadLineAsync());
        return new Frame(id, name, JsonSerializer.Deserialize<JsonElement>(data));
    }

    /// <summary>Whether nothing more comes.</summary>
    public async Task<bool> EndsAsync() => await _reader.ReadLineAsync() is null;

    public void Dispose()
    {
        _reader.Dispose();
        Response.Dispose();
    }

    private static string Field(string? line, string prefix)
    {
        Assert.NotNull(line);
        Assert.StartsWith(prefix, line, StringComparison.Ordinal);
        return line[prefix.Length..];
    }
}

/// <summary>One event.</summary>
internal sealed record Frame(string Id, string Event, JsonElement Data);
