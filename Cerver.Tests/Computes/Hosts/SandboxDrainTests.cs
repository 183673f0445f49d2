using Cerver.Errors;
using Cerver.Grains.Computes.Hosts;

namespace Cerver.Tests.Computes.Hosts;

public sealed class SandboxDrainTests
{
    private readonly SandboxDrain _drain = new();

    [Fact]
    public void A_silo_that_runs_nothing_may_leave_at_once() => Assert.True(_drain.LeaveAsync().IsCompletedSuccessfully);

    [Fact]
    public void A_silo_may_leave_when_its_last_run_is_over()
    {
        _drain.Begin();
        _drain.Begin();
        var left = _drain.LeaveAsync();
        _drain.Ended();
        Assert.False(left.IsCompleted);

        _drain.Ended();

        Assert.True(left.IsCompletedSuccessfully);
    }

    [Fact]
    public void What_was_brought_up_before_a_silo_closed_may_begin_until_it_leaves()
    {
        _drain.RequireStaying();
        _drain.Close();

        Assert.Equal(CerverError.HostUnavailable, Assert.Throws<CerverException>(_drain.RequireStaying).Code);
        _drain.Begin();
        var left = _drain.LeaveAsync();
        Assert.False(left.IsCompleted);
        Assert.Equal(CerverError.HostUnavailable, Assert.Throws<CerverException>(_drain.Begin).Code);
        _drain.Ended();
        Assert.True(left.IsCompletedSuccessfully);
    }

    [Fact]
    public void Nothing_begins_on_a_silo_that_is_about_to_leave_and_the_refusal_says_that_it_may_be_tried_again()
    {
        _drain.RequireStaying();
        var left = _drain.LeaveAsync();

        Assert.Equal(CerverError.HostUnavailable, Assert.Throws<CerverException>(_drain.RequireStaying).Code);
        Assert.Equal(CerverError.HostUnavailable, Assert.Throws<CerverException>(_drain.Begin).Code);
        Assert.True(left.IsCompletedSuccessfully);
    }
}
