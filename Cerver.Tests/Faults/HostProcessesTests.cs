using System.Diagnostics;

namespace Cerver.Tests.Faults;

public sealed class HostProcessesTests
{
    [Fact]
    public async Task The_processor_time_of_a_tree_includes_children_that_have_ended()
    {
        // The parent reads, so that it lives on when its child has ended.
        var start = new ProcessStartInfo("bash", ["-c", "bash -c 'for ((i = 0; i < 200000; i++)); do :; done'; echo done; read"])
        {
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        };
        using var parent = Process.Start(start)!;
        try
        {
            await parent.StandardOutput.ReadLineAsync();

            Assert.Single(HostProcesses.Tree(parent.Id));
            Assert.True(HostProcesses.ProcessorTimeOf(parent.Id) > parent.TotalProcessorTime + TimeSpan.FromMilliseconds(50));
        }
        finally
        {
            parent.Kill();
        }
    }
}
