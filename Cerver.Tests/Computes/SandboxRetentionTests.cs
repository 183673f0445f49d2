using Cerver.Grains.Computes;
using Cerver.Sessions;
using Cerver.Tests.Api;

namespace Cerver.Tests.Computes;

public sealed class SandboxRetentionTests
{
    private static readonly DateTimeOffset Now = new(2026, 5, 1, 12, 0, 0, TimeSpan.Zero);
    private static readonly TimeSpan Week = TimeSpan.FromDays(7);
    private static readonly SessionRecord Idle = Examples.Session with { Status = SessionStatus.Idle, SandboxId = "sbx_1", UpdatedAt = Now.AddDays(-6) };

    [Fact]
    public void Files_are_kept_from_the_last_activity_or_from_when_the_sandbox_went_down_whichever_is_later()
    {
        Assert.Equal(TimeSpan.FromDays(1), Left(Idle, downSince: null));
        Assert.Equal(TimeSpan.FromDays(1), Left(Idle, Now.AddDays(-30)));
        Assert.Equal(TimeSpan.FromDays(4), Left(Idle, Now.AddDays(-3)));
        Assert.Equal(TimeSpan.Zero, Left(Idle with { UpdatedAt = Now - Week }, Now - Week));
    }

    [Fact]
    public void A_clock_that_was_set_back_keeps_files_no_longer_than_the_retention() =>
        Assert.Equal(Week, Left(Idle with { UpdatedAt = Now.AddDays(90) }, downSince: null));

    [Fact]
    public void Files_of_a_session_that_is_running_stay_however_old_it_is() =>
        Assert.Equal(Week, Left(Idle with { Status = SessionStatus.Running, UpdatedAt = Now.AddDays(-90) }, downSince: null));

    [Fact]
    public void Files_that_no_session_has_go_at_once()
    {
        Assert.Equal(TimeSpan.Zero, Left(session: null, downSince: Now));
        Assert.Equal(TimeSpan.Zero, Left(Idle with { SandboxId = "sbx_2" }, Now));
        Assert.Equal(TimeSpan.Zero, Left(Idle with { SandboxId = null, Status = SessionStatus.Ended }, Now));
    }

    private static TimeSpan Left(SessionRecord? session, DateTimeOffset? downSince) => SandboxRetention.Left(session, "sbx_1", downSince, Week, Now);
}
