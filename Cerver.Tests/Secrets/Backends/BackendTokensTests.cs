using System.Globalization;
using System.Net;
using Cerver.Grains.Secrets.Backends;
using Cerver.Secrets;
using Microsoft.Extensions.Time.Testing;

namespace Cerver.Tests.Secrets.Backends;

/// <summary>How long tokens and refusals are kept, and how many.</summary>
public sealed class BackendTokensTests
{
    private static readonly BackendAnswer Taken = new(HttpStatusCode.OK, default);

    private readonly FakeTimeProvider _time = new();
    private readonly BackendTokens<string> _tokens;
    private int _logIns;

    public BackendTokensTests() => _tokens = new(_time);

    [Fact]
    public async Task A_token_that_lasts_for_ever_is_kept_for_less_than_a_day()
    {
        await UseAsync("key", TimeSpan.Zero);
        _time.Advance(TimeSpan.FromHours(23.9));
        await UseAsync("key", TimeSpan.Zero);
        var during = _logIns;
        _time.Advance(TimeSpan.FromHours(0.1));
        await UseAsync("key", TimeSpan.Zero);

        Assert.Equal((1, 2), (during, _logIns));
    }

    [Fact]
    public async Task A_log_in_that_failed_without_a_refusal_is_made_again_at_once()
    {
        await Assert.ThrowsAsync<BackendFailure>(() => FailAsync("key", BackendFault.Unreachable));
        await UseAsync("key", TimeSpan.FromHours(1));
        await Assert.ThrowsAsync<BackendFailure>(() => FailAsync("other", BackendFault.LoginRefused));
        var refused = await Assert.ThrowsAsync<BackendFailure>(() => UseAsync("other", TimeSpan.FromHours(1)));

        Assert.Equal((BackendFault.LoginRefused, 3), (refused.Fault, _logIns));
    }

    [Fact]
    public async Task The_oldest_tokens_make_room_for_new_ones()
    {
        for (var i = 0; i <= BackendTokens<string>.MaxTokens; i++)
        {
            await UseAsync(i.ToString(CultureInfo.InvariantCulture), TimeSpan.FromHours(1));
            _time.Advance(TimeSpan.FromMilliseconds(1));
        }

        await UseAsync(BackendTokens<string>.MaxTokens.ToString(CultureInfo.InvariantCulture), TimeSpan.FromHours(1));
        await UseAsync("1", TimeSpan.FromHours(1));
        var kept = _logIns;
        await UseAsync("0", TimeSpan.FromHours(1));

        Assert.Equal((BackendTokens<string>.MaxTokens + 1, BackendTokens<string>.MaxTokens + 2), (kept, _logIns));
    }

    private Task<BackendAnswer> UseAsync(string key, TimeSpan lifetime) => UseAsync(key, () => Task.FromResult(new BackendToken(new Secret("token"), lifetime)));

    private Task<BackendAnswer> FailAsync(string key, BackendFault fault) => UseAsync(key, () => Task.FromException<BackendToken>(new BackendFailure(fault, "fails.")));

    private Task<BackendAnswer> UseAsync(string key, Func<Task<BackendToken>> logIn) => _tokens.UseAsync(
        key,
        () =>
        {
            Interlocked.Increment(ref _logIns);
            return logIn();
        },
        static (_, _) => Task.FromResult(Taken),
        static _ => false,
        CancellationToken.None);
}
