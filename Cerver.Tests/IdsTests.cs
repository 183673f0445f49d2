using Microsoft.Extensions.Time.Testing;

namespace Cerver.Tests;

public sealed class IdsTests
{
    [Fact]
    public void Ids_sort_in_the_order_they_were_made_also_within_a_millisecond()
    {
        var time = new FakeTimeProvider(TimeProvider.System.GetUtcNow().AddYears(1));
        var ids = Enumerable.Range(0, 10_000).Select(_ => Ids.NewSession(time)).ToList();

        Assert.Equal(ids, ids.Order(StringComparer.Ordinal));
        Assert.Equal(ids.Count, ids.Distinct(StringComparer.Ordinal).Count());
    }

    [Fact]
    public void A_session_id_is_a_version_7_uuid_that_carries_its_time()
    {
        var id = Guid.Parse(Ids.NewSession(TimeProvider.System));

        Assert.Equal((7, 2), (id.Version, id.Variant >> 2));
        Assert.True(Ids.IsSession(id.ToString()));
    }

    [Fact]
    public void A_sandbox_id_tells_when_it_was_made()
    {
        var made = new DateTimeOffset(2026, 5, 1, 12, 0, 0, 123, TimeSpan.Zero);

        Assert.Equal(made, Ids.TimeOfSandbox($"sbx_{Guid.CreateVersion7(made):n}"));
        Assert.Equal(DateTimeOffset.MinValue, Ids.TimeOfSandbox("sbx_0123456789abcdef"));
    }

    [Fact]
    public void A_sandbox_id_tells_the_host_that_alone_can_reach_it_and_still_when_it_was_made()
    {
        var time = new FakeTimeProvider(TimeProvider.System.GetUtcNow().AddYears(2));
        var onHost = Ids.NewSandbox(time, "0a1b2c3d");
        var anywhere = Ids.NewSandbox(time);

        Assert.Equal(("0a1b2c3d", ""), (Ids.HostOfSandbox(onHost), Ids.HostOfSandbox(anywhere)));
        Assert.InRange(Ids.TimeOfSandbox(onHost) - time.GetUtcNow(), TimeSpan.FromMilliseconds(-1), TimeSpan.FromMilliseconds(1));
        Assert.Equal("", Ids.HostOfSandbox("sbx_gone"));
    }

    [Theory]
    [InlineData("")]
    [InlineData("not-an-id")]
    [InlineData("00000000-0000-7000-8000-00000000000g")]
    [InlineData("{0000000-0000-7000-8000-000000000000}")]
    [InlineData("00000000-0000-7000-8000-00000000000A")]
    [InlineData("00000000-0000-7000-8000-000000000000/../x")]
    public void What_cannot_be_a_session_id_is_told_apart(string text) => Assert.False(Ids.IsSession(text));
}
