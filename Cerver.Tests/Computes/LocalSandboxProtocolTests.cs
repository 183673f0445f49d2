using System.Buffers.Binary;
using System.Diagnostics;
using System.Net.Sockets;
using Cerver.Errors;
using Cerver.Grains.Computes.Local;
using Microsoft.Extensions.Logging.Abstractions;

namespace Cerver.Tests.Computes;

/// <summary>What a sandbox might say if hostile code had taken over process 1 in it.</summary>
public sealed class LocalSandboxProtocolTests
{
    private static readonly byte[] Ready = Frame(1, 0);

    public static TheoryData<string, byte[]> Violations => new()
    {
        { "a frame before the first", Frame(2, 1) },
        { "noise", [0x47, 0x45, 0x54, 0x20, 0x2f, 0x20, 0x48, 0x54, 0x54, 0x50] },
        { "a length of nothing", [0, 0, 0, 0, 1, 0, 0, 0, 0] },
        { "a length below the header", [0, 0, 0, 4, 1, 0, 0, 0, 0] },
        { "a length beyond the limit", [0, 1, 0, 6, 4, 0, 0, 0, 1] },
        { "the largest length", [255, 255, 255, 255, 4, 0, 0, 0, 1] },
        { "ready twice", [.. Ready, .. Ready] },
        { "ready with a number", Frame(1, 1) },
        { "ready with more", Frame(1, 0, 1) },
        { "an unknown type", [.. Ready, .. Frame(99, 1)] },
        { "type 0", [.. Ready, .. Frame(0, 1)] },
        { "output of a process that does not exist", [.. Ready, .. Frame(4, 7, 65)] },
        { "output before the start", [.. Ready, .. Frame(4, 1, 65)] },
        { "the end before the start", [.. Ready, .. Frame(6, 1, 0)] },
        { "started twice", [.. Ready, .. Frame(2, 1), .. Frame(2, 1)] },
        { "started with more", [.. Ready, .. Frame(2, 1, 0)] },
        { "empty output", [.. Ready, .. Frame(2, 1), .. Frame(4, 1)] },
        { "an end without a code", [.. Ready, .. Frame(2, 1), .. Frame(6, 1)] },
        { "an end with too much", [.. Ready, .. Frame(2, 1), .. Frame(6, 1, 0, 0, 0, 0)] },
        { "output after the end", [.. Ready, .. Frame(2, 1), .. Frame(6, 1, 0), .. Frame(4, 1, 65)] },
        { "the end twice", [.. Ready, .. Frame(2, 1), .. Frame(6, 1, 0), .. Frame(6, 1, 0)] },
        { "a failure without a reason", [.. Ready, .. Frame(3, 1)] },
        { "a failure of an unknown reason", [.. Ready, .. Frame(3, 1, 9)] },
        { "half a frame", [.. Ready, 0, 0, 0, 6, 4, 0, 0] },
    };

    [Theory]
    [MemberData(nameof(Violations))]
    public async Task A_word_out_of_turn_closes_the_sandbox_and_harms_nothing_else(string what, byte[] bytes)
    {
        var (container, inside) = await ConnectAsync();
        using var end = inside;
        var containerId = container.Process.Id;
        await using var sandbox = new LocalSandbox(what, "/workspace", container, TimeProvider.System, NullLogger.Instance, ended => Assert.True(ended));
        var starting = sandbox.StartAsync("true");

        await inside.SendAsync(bytes);
        inside.Shutdown(SocketShutdown.Send);

        await sandbox.Closed;
        if (await Record.ExceptionAsync(() => starting) is { } refusal)
        {
            Assert.Equal(CerverError.ProviderUnavailable, Assert.IsType<CerverException>(refusal).Code);
        }
        else
        {
            await (await starting).Exit;
        }

        Assert.DoesNotContain(HostProcesses.All(), p => p.Id == containerId);
    }

    [Fact]
    public async Task Frames_may_arrive_in_any_pieces()
    {
        var (container, inside) = await ConnectAsync();
        using var end = inside;
        await using var sandbox = new LocalSandbox("pieces", "/workspace", container, TimeProvider.System, NullLogger.Instance, ended => Assert.True(ended));
        var starting = sandbox.StartAsync("true");
        var output = Enumerable.Range(0, SandboxFrameReader.MaxPayloadBytes).Select(i => (byte)i).ToArray();

        byte[] all = [.. Ready, .. Frame(2, 1), .. Frame(5, 1, 65), .. Frame(4, 1, output), .. Frame(4, 1, output), .. Frame(6, 1, 3)];
        for (var at = 0; at < all.Length;)
        {
            var size = Math.Min(at < 60 ? 1 : 9973, all.Length - at);
            await inside.SendAsync(all.AsMemory(at, size));
            at += size;
        }

        var run = await (await starting).FinishAsync();
        Assert.Equal("A", run.ErrorText);
        Assert.Equal([.. output, .. output], run.Stdout);
        Assert.Equal(3, run.ExitCode);
    }

    private static byte[] Frame(byte type, uint number, params byte[] payload)
    {
        var frame = new byte[SandboxFrames.HeaderBytes + payload.Length];
        BinaryPrimitives.WriteInt32BigEndian(frame, frame.Length - 4);
        frame[4] = type;
        BinaryPrimitives.WriteUInt32BigEndian(frame.AsSpan(5), number);
        payload.CopyTo(frame, SandboxFrames.HeaderBytes);
        return frame;
    }

    /// <summary>A container that is only a process that ends with its input, and both ends of its connection.</summary>
    private static async Task<(SandboxContainer Container, Socket Inside)> ConnectAsync()
    {
        var path = Path.Combine(Path.GetTempPath(), Guid.NewGuid().ToString("n"));
        using var listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        listener.Bind(new UnixDomainSocketEndPoint(path));
        listener.Listen(1);
        var inside = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await inside.ConnectAsync(new UnixDomainSocketEndPoint(path));
        var outside = await listener.AcceptAsync();
        File.Delete(path);
        var process = Process.Start(new ProcessStartInfo("sleep", ["1000"]) { UseShellExecute = false })!;
        return (new(process, outside, Task.FromResult("")), inside);
    }
}
