using System.Diagnostics;

namespace Cerver.Tests.Relays;

/// <summary>Runs on a machine while the processes between it and its callers are killed.</summary>
[Collection(nameof(MachineDeployment))]
public sealed class DeploymentFaultTests(MachineDeployment deployment)
{
    private const int Lines = 300;
    private const string Code = "for i in $(seq 300); do echo line $i; sleep 0.02; done";

    /// <summary>When the grain of the sandbox was not at the silo that died, nothing is said.</summary>
    private static readonly TimeSpan Telling = TimeSpan.FromSeconds(15);

    private static readonly string Printed = string.Concat(Enumerable.Range(1, Lines).Select(static number => $"line {number}\n"));

    /// <summary>Where the grains of the machine and of the sandbox are is a matter of chance: each silo is killed once.</summary>
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public async Task A_run_goes_on_when_a_silo_dies_and_each_line_is_there_once(int silo)
    {
        await using var machine = await deployment.LendAsync();
        using var caller = deployment.Call();
        using var run = await caller.StartAsync(await caller.CreateAsync(machine), Code);
        await run.PrintedAsync("line 20\n");

        await using var killed = await deployment.KillSiloAsync(silo);
        await run.EndedAsync();

        Assert.Equal(("exited", 0), await caller.RecordAsync(run));
        Assert.Equal(Printed, run.Text);
        Assert.Equal(Printed, await ReplayAsync(caller, run));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public async Task A_run_that_prints_nothing_can_be_cancelled_after_a_silo_died(int silo)
    {
        await using var machine = await deployment.LendAsync();
        using var caller = deployment.Call();
        var sleep = LentMachine.NewSleep();
        using var run = await caller.StartAsync(await caller.CreateAsync(machine), $"echo begun; sleep {sleep}");
        await run.PrintedAsync("begun\n");
        await Waiting.UntilAsync(() => LentMachine.Runs(sleep));

        await using var killed = await deployment.KillSiloAsync(silo);
        await Waiting.UntilAsync(async () =>
        {
            await caller.CancelAsync(run);
            return (await caller.RecordAsync(run)).Status != "running";
        });
        await run.EndedAsync();

        Assert.Equal("cancelled", (await caller.RecordAsync(run)).Status);
        Assert.False(LentMachine.Runs(sleep));
    }

    /// <summary>A run of some age that its sandbox does not know is taken for lost. Somebody asks for it all the time, and its machine speaks of it after seconds only.</summary>
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public async Task A_run_that_prints_nothing_for_long_goes_on_when_a_silo_dies(int silo)
    {
        await using var machine = await deployment.LendAsync();
        using var caller = deployment.Call();
        using var run = await caller.StartAsync(await caller.CreateAsync(machine), "echo before; while [ ! -e go ]; do sleep 0.1; done; echo after");
        await run.PrintedAsync("before\n");
        await deployment.ExecuteAsync($"update run set started_at = started_at - 600000000 where run_id = '{run.Id}'");

        await using var killed = await deployment.KillSiloAsync(silo);
        for (var began = Stopwatch.GetTimestamp(); !deployment.HasSaid($"{run.Id} in sandbox") && Stopwatch.GetElapsedTime(began) < Telling;)
        {
            Assert.Equal("running", (await caller.RecordAsync(run)).Status);
            await Task.Delay(TimeSpan.FromMilliseconds(250));
        }

        await File.WriteAllTextAsync(Path.Combine(Directory.GetDirectories(Path.Combine(machine.Data, "sandboxes")).Single(), "go"), "");
        await run.EndedAsync();

        Assert.Equal(("exited", 0), await caller.RecordAsync(run));
        Assert.Equal("before\nafter\n", run.Text);
    }

    [Fact]
    public async Task A_run_goes_on_when_the_front_door_dies_that_has_the_socket_and_each_line_is_there_once()
    {
        await using var machine = await deployment.LendAsync();
        using var caller = deployment.Call();
        using var other = deployment.Call(frontDoor: 0);
        var session = await caller.CreateAsync(machine);
        using var run = await other.StartAsync(session, Code);
        await run.PrintedAsync("line 1\n");
        using var watched = await caller.WatchAsync(session, run.Id!);
        await run.PrintedAsync("line 20\n");

        await using var killed = await deployment.KillFrontDoorAsync(0);
        machine.Line.Turn(deployment.FrontDoor(1));
        await run.BrokenAsync();
        using var rest = await caller.WatchAsync(session, run.Id!, run.Last);
        await rest.EndedAsync();
        await watched.EndedAsync();

        Assert.Equal(("exited", 0), await caller.RecordAsync(run));
        Assert.Equal(Printed, run.Text + rest.Text);
        Assert.Equal(Printed, watched.Text);
        Assert.Equal(Printed, await ReplayAsync(caller, run));
    }

    private static async Task<string> ReplayAsync(SessionCaller caller, WatchedRun run)
    {
        using var again = await caller.WatchAsync(run.Session, run.Id!);
        return (await again.EndedAsync()).Text;
    }
}
