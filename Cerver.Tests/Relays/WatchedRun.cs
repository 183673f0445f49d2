using System.Text;
using System.Text.Json;
using Cerver.Tests.Http;

namespace Cerver.Tests.Relays;

/// <summary>A run, and what its stream has brought so far.</summary>
internal sealed class WatchedRun(string session, FrameReader frames) : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    private readonly MemoryStream _stdout = new();
    private readonly MemoryStream _stderr = new();

    /// <summary>The session that it belongs to.</summary>
    public string Session { get; } = session;

    /// <summary>Its id; of one that is watched from its beginning, once something came.</summary>
    public string? Id { get; private set; }

    /// <summary>The id of the last event.</summary>
    public string? Last { get; private set; }

    /// <summary>The last event: how it ended, when it has.</summary>
    public Frame? End { get; private set; }

    /// <summary>What was printed.</summary>
    public byte[] Stdout => _stdout.ToArray();

    /// <summary>What was printed there.</summary>
    public byte[] Stderr => _stderr.ToArray();

    /// <summary>What was printed, as text.</summary>
    public string Text => Encoding.UTF8.GetString(Stdout);

    /// <summary>Reads until something was printed.</summary>
    public async Task PrintedAsync(string text)
    {
        while (!Text.Contains(text, StringComparison.Ordinal))
        {
            Take(await frames.NextAsync().WaitAsync(Patience));
        }
    }

    /// <summary>Reads to the end.</summary>
    public async Task<WatchedRun> EndedAsync()
    {
        foreach (var frame in await frames.ToEndAsync().WaitAsync(Patience))
        {
            Take(frame);
        }

        return this;
    }

    /// <summary>Reads until whoever sends it is gone.</summary>
    public async Task BrokenAsync()
    {
        try
        {
            while (true)
            {
                Take(await frames.NextAsync().WaitAsync(Patience));
            }
        }
        catch (Exception broken) when (broken is IOException or HttpRequestException)
        {
            // That is what was waited for.
        }
    }

    public void Dispose()
    {
        frames.Dispose();
        _stdout.Dispose();
        _stderr.Dispose();
    }

    private void Take(Frame frame)
    {
        Assert.True(frame.Event != "gap", $"Something is missing: {frame.Data}");
        (Last, End) = (frame.Id, frame);
        if (frame.Event == "run")
        {
            Id = frame.Data.GetProperty("run_id").GetString();
        }
        else if (frame.Event is "stdout" or "stderr")
        {
            var bytes = frame.Data.TryGetProperty("data_base64", out var encoded) ? encoded.GetBytesFromBase64() : Encoding.UTF8.GetBytes(frame.Data.GetProperty("data").GetString()!);
            (frame.Event == "stdout" ? _stdout : _stderr).Write(bytes);
        }
    }
}
