using Cerver.Grains.Computes;
using Cerver.Grains.Operations;
using Cerver.Grains.Sessions;
using Cerver.Grains.Upkeep;
using Cerver.Upkeep;
using Microsoft.Extensions.DependencyInjection;
using static Cerver.Tests.GrainCluster;

namespace Cerver.Tests.Upkeep;

public sealed class UpkeepGrainTests : IAsyncLifetime
{
    private readonly ShiftedTime _time = new();
    private readonly CountedUpkeep _counted = new();
    private readonly GrainCluster _cluster;

    public UpkeepGrainTests() => _cluster = new()
    {
        Time = _time,
        Configure = silo => silo.Services.AddSingleton<IUpkeep, FailingUpkeep>().AddSingleton<IUpkeep>(_counted),
    };

    public Task InitializeAsync() => _cluster.InitializeAsync();

    public Task DisposeAsync() => _cluster.DisposeAsync();

    [Fact]
    public async Task A_reminder_does_every_piece_also_when_one_before_it_fails()
    {
        await _cluster.Grains.GetGrain<IUpkeepGrain>(0).AsReference<IRemindable>().ReceiveReminder("upkeep", default);

        Assert.Equal(1, _counted.Times);
    }

    [Fact]
    public void Unfinished_purges_are_a_piece()
    {
        Assert.Contains(_cluster.Services.GetServices<IUpkeep>(), piece => piece is PurgeUpkeep);
        Assert.Contains(_cluster.Services.GetServices<IUpkeep>(), piece => piece is OperationExpiry);
    }

    [Fact]
    public async Task Upkeep_is_registered_at_the_start_and_another_start_does_not_put_it_off()
    {
        var upkeep = _cluster.Grains.GetGrain<IUpkeepGrain>(0);
        var table = _cluster.Services.GetRequiredService<IReminderTable>();
        var atStart = await table.ReadRow(upkeep.GetGrainId(), "upkeep");
        _time.Advance(TimeSpan.FromMinutes(50));

        await upkeep.BeginAsync();

        var again = await table.ReadRow(upkeep.GetGrainId(), "upkeep");
        Assert.Equal(TimeSpan.FromHours(1), atStart!.Period);
        Assert.Equal((atStart!.StartAt, atStart.ETag), (again!.StartAt, again.ETag));
    }

    [Fact]
    public async Task Sandboxes_that_no_session_has_are_removed_once_they_are_too_old_to_get_one()
    {
        var (session, _, _) = _cluster.NewSession();
        var owned = (await session.CreateAsync(Request())).Value.SandboxId!;
        var young = $"sbx_{Guid.CreateVersion7(_time.GetUtcNow()):n}";
        var old = $"sbx_{Guid.CreateVersion7(_time.GetUtcNow().AddMinutes(-61)):n}";
        foreach (var sandboxId in (string[])[owned, young, old])
        {
            _cluster.Provider.Held.TryAdd(sandboxId, value: true);
        }

        await _cluster.Grains.GetGrain<IUpkeepGrain>(0).RunAsync();
        var left = _cluster.Provider.Held.Keys;
        _time.Advance(TimeSpan.FromMinutes(61));
        await _cluster.Grains.GetGrain<IUpkeepGrain>(0).RunAsync();

        Assert.Equal(((string[])[owned, young]).Order(), left.Order());
        Assert.Equal([owned], _cluster.Provider.Held.Keys);
        Assert.Equal(((string[])[old, young]).Order(), _cluster.Provider.Removed.Order());
    }

    [Fact]
    public async Task At_the_start_all_sandboxes_that_no_session_has_are_set_aside_and_erased_later()
    {
        var (session, _, _) = _cluster.NewSession();
        var owned = (await session.CreateAsync(Request())).Value.SandboxId!;
        _cluster.Provider.Held.TryAdd(owned, value: true);
        var stray = Ids.NewSandbox(TimeProvider.System);
        _cluster.Provider.Held.TryAdd(stray, value: true);
        var sweep = _cluster.Services.GetRequiredService<SandboxSweep>();

        await sweep.RunAtStartAsync(DateTimeOffset.MaxValue, CancellationToken.None);
        var removed = _cluster.Provider.Removed.ToArray();
        await sweep.EraseAsync(CancellationToken.None);

        Assert.Equal([owned], _cluster.Provider.Held.Keys);
        Assert.Empty(removed);
        Assert.Equal([stray], _cluster.Provider.Removed);
    }

    private sealed class FailingUpkeep : IUpkeep
    {
        public Task RunAsync(CancellationToken cancellationToken) => throw new InvalidOperationException("This piece always fails.");
    }

    private sealed class CountedUpkeep : IUpkeep
    {
        public int Times { get; private set; }

        public Task RunAsync(CancellationToken cancellationToken)
        {
            Times++;
            return Task.CompletedTask;
        }
    }
}
