using Cerver.Errors;
using Cerver.Grains.Sessions;
using Cerver.Sessions;

namespace Cerver.Tests.Sessions;

public sealed class SessionTransitionsTests
{
    [Theory]
    [InlineData(SessionStatus.Idle, SessionTrigger.Attach, SessionStatus.Running)]
    [InlineData(SessionStatus.Idle, SessionTrigger.Pause, SessionStatus.Idle)]
    [InlineData(SessionStatus.Idle, SessionTrigger.LoseSandbox, SessionStatus.Idle)]
    [InlineData(SessionStatus.Idle, SessionTrigger.End, SessionStatus.Ended)]
    [InlineData(SessionStatus.Running, SessionTrigger.Attach, SessionStatus.Running)]
    [InlineData(SessionStatus.Running, SessionTrigger.Pause, SessionStatus.Idle)]
    [InlineData(SessionStatus.Running, SessionTrigger.LoseSandbox, SessionStatus.Idle)]
    [InlineData(SessionStatus.Running, SessionTrigger.End, SessionStatus.Ended)]
    [InlineData(SessionStatus.Ended, SessionTrigger.LoseSandbox, SessionStatus.Ended)]
    [InlineData(SessionStatus.Ended, SessionTrigger.End, SessionStatus.Ended)]
    internal void A_legal_move_leads_where_the_table_says(SessionStatus from, SessionTrigger trigger, SessionStatus to) =>
        Assert.Equal(to, SessionTransitions.Next(from, trigger));

    [Theory]
    [InlineData(SessionTrigger.Attach, CerverError.NotResumable)]
    [InlineData(SessionTrigger.Pause, CerverError.SessionEnded)]
    internal void An_ended_session_refuses_by_name(SessionTrigger trigger, CerverError expected)
    {
        var refusal = Assert.Throws<CerverException>(() => SessionTransitions.Next(SessionStatus.Ended, trigger));

        Assert.Equal(expected, refusal.Code);
    }

    [Fact]
    public void Every_status_has_a_rule_for_every_trigger()
    {
        foreach (var status in Enum.GetValues<SessionStatus>())
        {
            foreach (var trigger in Enum.GetValues<SessionTrigger>())
            {
                // A missing rule is an UnreachableException, which is not a CerverException.
                var outcome = Record.Exception(() => SessionTransitions.Next(status, trigger));
                Assert.True(outcome is null or CerverException, $"{status} on {trigger}");
            }
        }
    }
}
