using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Cerver.Grains.Computes.Local;

namespace Cerver.Tests.Computes;

/// <summary>Asks the filter as the kernel does, for both processors on whichever one the tests run.</summary>
public sealed class SeccompFilterTests
{
    private const uint X64 = 0xC000_003E;
    private const uint Arm64 = 0xC000_00B7;
    private const uint Allowed = 0x7fff_0000;
    private const uint Killed = 0x8000_0000;
    private const uint NotPermitted = 0x0005_0001;
    private const uint NoSuchCall = 0x0005_0026;
    private const uint NoSuchFamily = 0x0005_0061;

    [Theory]
    [InlineData(Architecture.X64, X64, 0, 0, 0, Allowed)] // read
    [InlineData(Architecture.X64, X64, 59, 0, 0, Allowed)] // execve
    [InlineData(Architecture.X64, X64, 101, 0, 0, NotPermitted)] // ptrace
    [InlineData(Architecture.X64, X64, 165, 0, 0, NotPermitted)] // mount
    [InlineData(Architecture.X64, X64, 203, 0, 0, NotPermitted)] // sched_setaffinity
    [InlineData(Architecture.X64, X64, 204, 0, 0, Allowed)] // sched_getaffinity
    [InlineData(Architecture.X64, X64, 425, 0, 0, NoSuchCall)] // io_uring_setup
    [InlineData(Architecture.X64, X64, 435, 0, 0, NoSuchCall)] // clone3
    [InlineData(Architecture.X64, X64, 56, 0x0100_0011, 0, Allowed)] // clone, a process
    [InlineData(Architecture.X64, X64, 56, 0x003d_0f00, 0, Allowed)] // clone, a thread
    [InlineData(Architecture.X64, X64, 56, 0x1000_0011, 0, NotPermitted)] // clone, a user namespace
    [InlineData(Architecture.X64, X64, 56, 0x0002_0011, 0, NotPermitted)] // clone, a mount namespace
    [InlineData(Architecture.X64, X64, 16, 0, 0x5401, Allowed)] // ioctl TCGETS
    [InlineData(Architecture.X64, X64, 16, 0, 0x5412, NotPermitted)] // ioctl TIOCSTI
    [InlineData(Architecture.X64, X64, 41, 1, 0, Allowed)] // socket AF_UNIX
    [InlineData(Architecture.X64, X64, 41, 10, 0, Allowed)] // socket AF_INET6
    [InlineData(Architecture.X64, X64, 41, 40, 0, NoSuchFamily)] // socket AF_VSOCK
    [InlineData(Architecture.X64, X64, 41, 38, 0, NoSuchFamily)] // socket AF_ALG
    [InlineData(Architecture.X64, X64, 135, 0xffff_ffff, 0, Allowed)] // personality, the question
    [InlineData(Architecture.X64, X64, 135, 0x0040_0000, 0, NotPermitted)] // personality READ_IMPLIES_EXEC
    [InlineData(Architecture.X64, X64, 0x4000_0000, 0, 0, NoSuchCall)] // x32 read
    [InlineData(Architecture.X64, 0x4000_0003, 0, 0, 0, Killed)] // i386
    [InlineData(Architecture.X64, Arm64, 0, 0, 0, Killed)]
    [InlineData(Architecture.Arm64, Arm64, 63, 0, 0, Allowed)] // read
    [InlineData(Architecture.Arm64, Arm64, 117, 0, 0, NotPermitted)] // ptrace
    [InlineData(Architecture.Arm64, Arm64, 40, 0, 0, NotPermitted)] // mount
    [InlineData(Architecture.Arm64, Arm64, 122, 0, 0, NotPermitted)] // sched_setaffinity
    [InlineData(Architecture.Arm64, Arm64, 101, 0, 0, Allowed)] // nanosleep, which is ptrace on the other
    [InlineData(Architecture.Arm64, Arm64, 435, 0, 0, NoSuchCall)] // clone3
    [InlineData(Architecture.Arm64, Arm64, 220, 0x0100_0011, 0, Allowed)] // clone, a process
    [InlineData(Architecture.Arm64, Arm64, 220, 0x4000_0011, 0, NotPermitted)] // clone, a network namespace
    [InlineData(Architecture.Arm64, Arm64, 29, 0, 0x541C, NotPermitted)] // ioctl TIOCLINUX
    [InlineData(Architecture.Arm64, Arm64, 198, 2, 0, Allowed)] // socket AF_INET
    [InlineData(Architecture.Arm64, Arm64, 198, 40, 0, NoSuchFamily)] // socket AF_VSOCK
    [InlineData(Architecture.Arm64, X64, 0, 0, 0, Killed)]
    public void Each_call_has_its_answer(Architecture architecture, uint audited, uint number, uint first, uint second, uint answer) =>
        Assert.Equal(answer, Ask(SeccompFilter.Compile(architecture), audited, number, first, second));

    [Fact]
    public void A_processor_without_a_list_has_no_filter() =>
        Assert.Throws<PlatformNotSupportedException>(() => SeccompFilter.Compile(Architecture.RiscV64));

    /// <summary>The part of the kernel's machine that filters use. A jump out of the program throws.</summary>
    private static uint Ask(byte[] program, uint architecture, uint number, uint first, uint second)
    {
        Dictionary<uint, uint> data = new() { [0] = number, [4] = architecture, [16] = first, [24] = second };
        uint accumulator = 0;
        for (var at = 0; ; at++)
        {
            var instruction = program.AsSpan(at * 8, 8);
            var value = BinaryPrimitives.ReadUInt32LittleEndian(instruction[4..]);
            switch (BinaryPrimitives.ReadUInt16LittleEndian(instruction))
            {
                case 0x20:
                    accumulator = data[value];
                    break;
                case 0x15:
                    at += instruction[accumulator == value ? 2 : 3];
                    break;
                case 0x35:
                    at += instruction[accumulator >= value ? 2 : 3];
                    break;
                case 0x45:
                    at += instruction[(accumulator & value) != 0 ? 2 : 3];
                    break;
                case 0x06:
                    return value;
                default:
                    Assert.Fail("An instruction that no filter needs.");
                    break;
            }
        }
    }
}
