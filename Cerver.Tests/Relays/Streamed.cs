using System.Text;
using System.Text.Json;

namespace Cerver.Tests.Relays;

/// <summary>What the stream of a run brought.</summary>
/// <param name="Stdout">What was printed.</param>
/// <param name="Stderr">What was printed there.</param>
internal sealed record Streamed(byte[] Stdout, byte[] Stderr)
{
    /// <summary>Reads to the end.</summary>
    public static async Task<Streamed> ReadAsync(Stream stream)
    {
        using var reader = new StreamReader(stream);
        using var stdout = new MemoryStream();
        using var stderr = new MemoryStream();
        var kind = "";
        while (await reader.ReadLineAsync() is { } line)
        {
            if (line.StartsWith("event: ", StringComparison.Ordinal))
            {
                kind = line["event: ".Length..];
            }
            else if (kind is "stdout" or "stderr" && line.StartsWith("data: ", StringComparison.Ordinal))
            {
                using var data = JsonDocument.Parse(line.AsMemory("data: ".Length));
                var bytes = data.RootElement.TryGetProperty("data_base64", out var encoded) ? encoded.GetBytesFromBase64() : Encoding.UTF8.GetBytes(data.RootElement.GetProperty("data").GetString()!);
                await (kind == "stdout" ? stdout : stderr).WriteAsync(bytes);
            }
        }

        return new Streamed(stdout.ToArray(), stderr.ToArray());
    }
}
