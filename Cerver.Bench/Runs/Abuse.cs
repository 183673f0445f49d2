namespace Cerver.Bench.Runs;

/// <summary>A program that wants to take the machine down. It prints something when it begins.</summary>
/// <param name="Name">What it is called.</param>
/// <param name="Runtime">What executes it.</param>
/// <param name="Code">The program.</param>
internal sealed record Abuse(string Name, string Runtime, string Code)
{
    private const string Shell = "shell";
    private const string Python = "python";

    /// <summary>All of them. One that its sandbox is ended for, or that ends, is started again.</summary>
    public static readonly IReadOnlyList<Abuse> All =
    [
        new("fork bomb", Shell, "exec 2>/dev/null; bomb() { bomb | bomb & }; bomb; echo lit; sleep 1000"),

        new("memory bomb", Python, """
            import os, time
            print('lit', flush=True)
            for i in range(8):
              if os.fork() == 0:
                held = []
                try:
                  while True: held.append(bytearray(b'x' * (1 << 20)))
                except MemoryError: time.sleep(1000)
            time.sleep(1000)
            """),

        new("disk filler", Shell, "echo lit; i=0; while :; do i=$((i+1)); head -c 4000000 /dev/zero > $i; done"),

        // As much as is kept of the output of a run; then another run does it.
        new("output flood", Shell, "echo lit; for i in $(seq 33); do head -c 1000000 /dev/zero; head -c 1000000 /dev/zero >&2; done"),

        // Until it may have no more of them; then they are buried, and it begins anew.
        new("zombie-maker", Python, """
            import os
            print('lit', flush=True)
            while True:
              try:
                while True:
                  if os.fork() == 0: os._exit(0)
              except OSError: pass
              try:
                while True: os.wait()
              except ChildProcessError: pass
            """),
    ];
}
