using Cerver.Grains.Sessions;
using Cerver.Tests.Api;

namespace Cerver.Tests.Sessions;

public sealed class SessionIdlenessTests
{
    private static readonly DateTimeOffset Now = new(2026, 5, 1, 12, 0, 0, TimeSpan.Zero);

    [Theory]
    [InlineData(0, 0, 900)]
    [InlineData(600, 0, 300)]
    [InlineData(899.999, 0, 0.05)]
    [InlineData(900, 0, 0)]
    [InlineData(90_000, 0, 0)]
    [InlineData(90_000, 1, 900)]
    [InlineData(-90_000, 0, 900)]
    public void What_is_left_is_the_time_out_less_the_time_since_the_last_activity(double secondsSinceActivity, int going, double secondsLeft)
    {
        var session = Examples.Session with { Requirements = null, UpdatedAt = Now.AddSeconds(-secondsSinceActivity) };

        Assert.Equal(TimeSpan.FromSeconds(secondsLeft), SessionIdleness.Left(session, going, TimeSpan.FromMinutes(15), Now));
    }

    [Fact]
    public void What_the_session_asks_for_goes_before_the_setting()
    {
        var session = Examples.Session with { Requirements = """{"timeout_minutes":60}""", UpdatedAt = Now.AddMinutes(-20) };

        Assert.Equal(TimeSpan.FromMinutes(40), SessionIdleness.Left(session, going: 0, TimeSpan.FromMinutes(15), Now));
    }
}
