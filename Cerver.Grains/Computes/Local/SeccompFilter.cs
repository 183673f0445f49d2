using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace Cerver.Grains.Computes.Local;

/// <summary>
/// The system calls that a sandbox may not make, as the program that the kernel checks each call with. A deny-list: it takes away
/// what has let containers be left before and what no build, script or server needs, and the namespaces do the rest.
/// </summary>
internal static class SeccompFilter
{
    private const ushort LoadWord = 0x20;
    private const ushort JumpIfEqual = 0x15;
    private const ushort JumpIfAtLeast = 0x35;
    private const ushort JumpIfAnyBit = 0x45;
    private const ushort Return = 0x06;

    private const uint Allow = 0x7fff_0000;
    private const uint KillProcess = 0x8000_0000;
    private const uint NotPermitted = 0x0005_0000 | 1;
    private const uint NoSuchCall = 0x0005_0000 | 38;
    private const uint NoSuchFamily = 0x0005_0000 | 97;

    // Where the kernel puts what a call is: struct seccomp_data. Of an argument only the lower half is looked at, as the kernel does
    // with the arguments that are checked here.
    private const uint NumberOffset = 0;
    private const uint ArchitectureOffset = 4;
    private const uint FirstArgumentOffset = 16;
    private const uint SecondArgumentOffset = 24;

    private const uint FirstX32Call = 0x4000_0000;

    /// <summary>CLONE_NEW…: mounts, cgroup, uts, ipc, user, pid and net.</summary>
    private const uint NamespaceFlags = 0x7e02_0000;

    /// <summary>AF_UNIX, AF_INET, AF_INET6, AF_NETLINK. Not AF_VSOCK, which reaches the hypervisor whatever the network namespace.</summary>
    private static readonly uint[] SocketFamilies = [1, 2, 10, 16];

    /// <summary>TIOCSTI and TIOCLINUX put keystrokes into a terminal.</summary>
    private static readonly uint[] TerminalRequests = [0x5412, 0x541C];

    /// <summary>Linux with or without a smaller uname, and the question what it is now.</summary>
    private static readonly uint[] Personalities = [0, 0x0008, 0x2_0000, 0x2_0008, 0xffff_ffff];

    private static readonly DeniedCall[] DeniedCalls =
    [
        // Other processes: process 1 and the supervisors have the user id of the programs.
        new("ptrace", 101, 117), new("process_vm_readv", 310, 270), new("process_vm_writev", 311, 271), new("kcmp", 312, 272),
        new("pidfd_getfd", 438, 438), new("process_madvise", 440, 440), new("move_pages", 279, 239), new("migrate_pages", 256, 238),

        // Namespaces and mounts.
        new("unshare", 272, 97), new("setns", 308, 268), new("mount", 165, 40), new("umount2", 166, 39), new("pivot_root", 155, 41),
        new("chroot", 161, 51), new("open_tree", 428, 428, NoSuchCall), new("move_mount", 429, 429, NoSuchCall),
        new("fsopen", 430, 430, NoSuchCall), new("fsconfig", 431, 431, NoSuchCall), new("fsmount", 432, 432, NoSuchCall),
        new("fspick", 433, 433, NoSuchCall), new("mount_setattr", 442, 442, NoSuchCall), new("open_tree_attr", 467, 467, NoSuchCall),
        new("name_to_handle_at", 303, 264), new("open_by_handle_at", 304, 265), new("fanotify_init", 300, 262),

        // Large parts of the kernel that have been broken often. Programs do without: libuv, for one, falls back from io_uring.
        new("io_uring_setup", 425, 425, NoSuchCall), new("io_uring_enter", 426, 426, NoSuchCall), new("io_uring_register", 427, 427, NoSuchCall),
        new("bpf", 321, 280), new("perf_event_open", 298, 241), new("userfaultfd", 323, 282),
        new("keyctl", 250, 219), new("add_key", 248, 217), new("request_key", 249, 218),

        // The machine itself. Most need a capability that nothing in a sandbox has; this is the second lock.
        new("kexec_load", 246, 104), new("kexec_file_load", 320, 294), new("init_module", 175, 105), new("finit_module", 313, 273),
        new("delete_module", 176, 106), new("reboot", 169, 142), new("swapon", 167, 224), new("swapoff", 168, 225), new("acct", 163, 89),
        new("quotactl", 179, 60), new("quotactl_fd", 443, 443), new("syslog", 103, 116), new("vhangup", 153, 58),
        new("settimeofday", 164, 170), new("clock_settime", 227, 112), new("clock_adjtime", 305, 266), new("lookup_dcookie", 212, 18),
        new("sethostname", 170, 161), new("setdomainname", 171, 162), new("nfsservctl", 180, 42, NoSuchCall),
        new("iopl", 172, Arm64: null), new("ioperm", 173, Arm64: null), new("uselib", 134, Arm64: null, NoSuchCall),
        new("ustat", 136, Arm64: null, NoSuchCall), new("sysfs", 139, Arm64: null, NoSuchCall), new("_sysctl", 156, Arm64: null, NoSuchCall),

        // Some processors are not for sandboxes.
        new("sched_setaffinity", 203, 122),

        // Its flags lie in memory, where this program cannot look. The C library then uses clone, where it can.
        new("clone3", 435, 435, NoSuchCall),
    ];

    /// <summary>The program for a processor, as <c>bwrap --seccomp</c> reads it.</summary>
    /// <exception cref="PlatformNotSupportedException">There is none for this processor.</exception>
    public static byte[] Compile(Architecture architecture) => architecture switch
    {
        Architecture.X64 => Compile(new Machine(0xC000_003E, CloneCall: 56, Ioctl: 16, Personality: 135, Socket: 41, HasX32: true), call => call.X64),
        Architecture.Arm64 => Compile(new Machine(0xC000_00B7, CloneCall: 220, Ioctl: 29, Personality: 92, Socket: 198, HasX32: false), call => call.Arm64),
        _ => throw new PlatformNotSupportedException($"There is no list of system calls for {architecture}."),
    };

    private static byte[] Compile(Machine machine, Func<DeniedCall, uint?> number)
    {
        var program = new List<Instruction>
        {
            new(LoadWord, ArchitectureOffset),
            new(JumpIfEqual, machine.AuditArchitecture, IfTrue: 1),
            new(Return, KillProcess),
            new(LoadWord, NumberOffset),
        };
        if (machine.HasX32)
        {
            program.Add(new(JumpIfAtLeast, FirstX32Call, IfFalse: 1));
            program.Add(new(Return, NoSuchCall));
        }

        foreach (var call in DeniedCalls)
        {
            if (number(call) is { } denied)
            {
                program.Add(new(JumpIfEqual, denied, IfFalse: 1));
                program.Add(new(Return, call.Answer));
            }
        }

        AddArgumentCheck(program, machine.CloneCall, FirstArgumentOffset, [new(JumpIfAnyBit, NamespaceFlags, IfFalse: 1), new(Return, NotPermitted), new(Return, Allow)]);
        AddArgumentCheck(program, machine.Ioctl, SecondArgumentOffset, OneOf(TerminalRequests, NotPermitted, Allow));
        AddArgumentCheck(program, machine.Personality, FirstArgumentOffset, OneOf(Personalities, Allow, NotPermitted));
        AddArgumentCheck(program, machine.Socket, FirstArgumentOffset, OneOf(SocketFamilies, Allow, NoSuchFamily));
        program.Add(new(Return, Allow));
        return Assemble(program);
    }

    /// <summary>Decides one call by one of its arguments, for good: the number is no longer at hand afterwards.</summary>
    private static void AddArgumentCheck(List<Instruction> program, uint call, uint argumentOffset, Instruction[] decision)
    {
        program.Add(new(JumpIfEqual, call, IfFalse: (byte)(decision.Length + 1)));
        program.Add(new(LoadWord, argumentOffset));
        program.AddRange(decision);
    }

    private static Instruction[] OneOf(uint[] values, uint answer, uint otherwise) =>
    [
        .. values.SelectMany(value => new Instruction[] { new(JumpIfEqual, value, IfFalse: 1), new(Return, answer) }),
        new(Return, otherwise),
    ];

    private static byte[] Assemble(List<Instruction> program)
    {
        const int InstructionBytes = 8;
        var bytes = new byte[program.Count * InstructionBytes];
        for (var i = 0; i < program.Count; i++)
        {
            var target = bytes.AsSpan(i * InstructionBytes);
            BinaryPrimitives.WriteUInt16LittleEndian(target, program[i].Code);
            target[2] = program[i].IfTrue;
            target[3] = program[i].IfFalse;
            BinaryPrimitives.WriteUInt32LittleEndian(target[4..], program[i].Value);
        }

        return bytes;
    }

    /// <summary>A system call that is refused, its number on each processor (null: it has none there), and what the caller is told.</summary>
    private sealed record DeniedCall(string Name, uint X64, uint? Arm64, uint Answer = NotPermitted);

    private sealed record Machine(uint AuditArchitecture, uint CloneCall, uint Ioctl, uint Personality, uint Socket, bool HasX32);

    /// <summary>One step of the program; a jump skips so many of the next ones.</summary>
    [StructLayout(LayoutKind.Auto)]
    private readonly record struct Instruction(ushort Code, uint Value, byte IfTrue = 0, byte IfFalse = 0);
}
