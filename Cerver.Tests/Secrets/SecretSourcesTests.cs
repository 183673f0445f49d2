using Cerver.Errors;
using Cerver.Grains.Secrets;
using Cerver.Secrets;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;

namespace Cerver.Tests.Secrets;

public sealed class SecretSourcesTests
{
    private readonly FakeTimeProvider _time = new();
    private readonly ScriptedSource _first = new("first", "BOTH", "value-of-the-first");
    private readonly ScriptedSource _second = new("second", "BOTH", "value-of-the-second", "SECOND", "only-in-the-second");

    [Fact]
    public async Task A_value_is_believed_for_a_minute_and_what_was_not_there_is_looked_for_again()
    {
        var sources = Sources();
        await FetchAsync(sources, "BOTH");
        _first["BOTH"] = "a-newer-value";
        _time.Advance(TimeSpan.FromSeconds(59));
        var known = await FetchAsync(sources, "BOTH");
        _time.Advance(TimeSpan.FromSeconds(1));
        var newer = await FetchAsync(sources, "BOTH");
        var missing = await FetchAsync(sources, "LATER");
        _first["LATER"] = "there-by-now";

        Assert.Equal(("value-of-the-first", "a-newer-value", null, "there-by-now"), (known, newer, missing, await FetchAsync(sources, "LATER")));
    }

    [Fact]
    public async Task Nobody_gets_what_was_kept_for_another_account()
    {
        var sources = Sources();
        await FetchAsync(sources, "BOTH");
        _first["BOTH"] = "a-newer-value";

        Assert.Equal(("value-of-the-first", "a-newer-value"), (await FetchAsync(sources, "BOTH"), await FetchAsync(sources, "BOTH", "bob")));
    }

    [Fact]
    public async Task Without_a_lifetime_every_fetch_asks()
    {
        var sources = Sources(static options => options.CacheLifetime = TimeSpan.Zero);
        await FetchAsync(sources, "BOTH");
        _first["BOTH"] = "a-newer-value";

        Assert.Equal(("a-newer-value", 2), (await FetchAsync(sources, "BOTH"), _first.Asked));
    }

    [Fact]
    public async Task Sources_are_asked_in_the_order_of_the_settings_and_those_that_it_does_not_name_are_not()
    {
        var sources = Sources(static options =>
        {
            options.Order.Add("second");
            options.Order.Add("first");
            options.OrderOf["bob"] = ["first"];
        });

        Assert.Equal(
            ("value-of-the-second", "value-of-the-first", null),
            (await FetchAsync(sources, "BOTH"), await FetchAsync(sources, "BOTH", "bob"), await FetchAsync(sources, "SECOND", "bob")));
        Assert.Equal(["BOTH"], (await sources.ListAsync("bob", CancellationToken.None)).Select(static secret => secret.Name));
    }

    [Fact]
    public async Task When_a_source_is_down_the_next_one_is_asked_only_if_a_setting_says_so()
    {
        _first.IsDown = true;

        var refused = await FindAsync(Sources(), "BOTH");
        var next = Sources(static options => options.AsksNextWhenUnavailable = true);
        var nowhere = await FindAsync(next, "NOWHERE");
        var found = await FindAsync(next, "BOTH");

        Assert.Equal((null, null, "value-of-the-second"), (refused.Found, nowhere.Found, found.Found?.Value.Reveal()));
        Assert.All([refused, nowhere, found], static finding => Assert.Equal(("first", CerverError.SecretBackendUnavailable), (finding.Unavailable?.Name, finding.Unavailable?.Refusal.Code)));
    }

    [Fact]
    public async Task When_a_source_is_down_the_names_of_the_others_are_listed_only_if_a_setting_says_so()
    {
        _first.IsDown = true;

        var refusal = await Assert.ThrowsAsync<CerverException>(() => Sources().ListAsync("alice", CancellationToken.None));
        var next = Sources(static options => options.AsksNextWhenUnavailable = true);
        var names = await next.ListAsync("alice", CancellationToken.None);
        _second.IsDown = true;
        var nobody = await Assert.ThrowsAsync<CerverException>(() => next.ListAsync("alice", CancellationToken.None));

        Assert.Equal([new("BOTH", "second"), new("SECOND", "second")], names.AsEnumerable());
        Assert.All([refusal, nobody], static failure => Assert.Equal((CerverError.SecretBackendUnavailable, "The source first is down."), (failure.Code, failure.Message)));
        Assert.Empty(await next.ListAsync("closed-account", CancellationToken.None));
    }

    [Theory]
    [InlineData("01:00:01", null, "CacheLifetime must be between")]
    [InlineData("-00:00:01", null, "CacheLifetime must be between")]
    [InlineData("00:01:00", "third", "Order has 'third', which is no source; there are first, second.")]
    [InlineData("00:01:00", "first", "Order names a source twice.")]
    public void Settings_that_make_no_sense_stop_the_start(string lifetime, string? again, string said)
    {
        var options = new SecretOptions { CacheLifetime = TimeSpan.Parse(lifetime, System.Globalization.CultureInfo.InvariantCulture) };
        options.Order.Add("first");
        if (again is not null)
        {
            options.Order.Add(again);
        }

        var result = new SecretOptions.Validator([_first, _second]).Validate(name: null, options);

        Assert.Contains(said, result.FailureMessage, StringComparison.Ordinal);
    }

    [Fact]
    public void Settings_are_read_by_their_names()
    {
        var options = new ConfigurationBuilder()
            .AddInMemoryCollection([new("Cerver:Secrets:Order:0", "second"), new("Cerver:Secrets:OrderOf:bob:0", "first"), new("Cerver:Secrets:CacheLifetime", "00:00:05")])
            .Build().GetSection(SecretOptions.Section).Get<SecretOptions>()!;

        Assert.Equal(("second", "first", TimeSpan.FromSeconds(5)), (Assert.Single(options.Order), Assert.Single(options.OrderOf["bob"]), options.CacheLifetime));
    }

    private SecretSources Sources(Action<SecretOptions>? configure = null)
    {
        var options = new SecretOptions();
        configure?.Invoke(options);
        return new SecretSources([_first, _second], Options.Create(options), _time);
    }

    private static async Task<string?> FetchAsync(SecretSources sources, string name, string accountId = "alice") =>
        await FindAsync(sources, name, accountId) is { Found: { } found } ? found.Value.Reveal() : null;

    private static Task<SecretFinding> FindAsync(SecretSources sources, string name, string accountId = "alice") => sources.FindAsync(accountId, name, CancellationToken.None);
}
