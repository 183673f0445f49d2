using Cerver.Secrets;

namespace Cerver.Grains.Secrets.Backends;

/// <summary>What a log-in gave.</summary>
/// <param name="Value">The token.</param>
/// <param name="Lifetime">How long it lasts, zero for ever.</param>
internal sealed record BackendToken(Secret Value, TimeSpan Lifetime);

/// <summary>
/// The tokens that log-ins gave, until shortly before they end. Who comes while somebody logs in waits for the same token, and credentials that were refused are not
/// tried again for <see cref="RefusalMemory"/>: backends lock out whoever tries too often.
/// </summary>
/// <typeparam name="TKey">
/// The backend and the credentials, all of them: whoever knows only a part must not get a token that another's gave. It is a record, so that it is compared by value.
/// </typeparam>
internal sealed class BackendTokens<TKey>(TimeProvider time)
    where TKey : notnull
{
    /// <summary>How long a refusal of credentials is the answer without asking again.</summary>
    public static readonly TimeSpan RefusalMemory = TimeSpan.FromSeconds(30);

    /// <summary>
    /// How old a token must be to be taken for the reason of a refusal. One that was made just now is good, so the refusal is about something else; without this, whoever
    /// asks for what he may not read would log in each time.
    /// </summary>
    public static readonly TimeSpan FreshFor = TimeSpan.FromSeconds(5);

    /// <summary>How many tokens are kept. Beyond, the ones made first are given up, and made again when somebody needs them.</summary>
    internal const int MaxTokens = 1000;

    /// <summary>A token is given up that long before its end, or when a fifth of its time is left, so that it does not end on its way.</summary>
    private static readonly TimeSpan MaxMargin = TimeSpan.FromMinutes(1);

    /// <summary>Longer than that no token is kept, whatever its log-in said.</summary>
    private static readonly TimeSpan MaxLifetime = TimeSpan.FromDays(1);

    private readonly Lock _gate = new();
    private readonly Dictionary<TKey, LogIn> _logIns = [];

    /// <summary>Uses a token, and once more with a new one when the backend does not take it.</summary>
    /// <param name="key">The backend and the credentials.</param>
    /// <param name="logIn">Logs in. It goes on for the others when this caller goes away, so it ends by itself.</param>
    /// <param name="use">Asks with a token.</param>
    /// <param name="isRefused">Whether an answer may mean that the token is not good any more.</param>
    /// <param name="cancellationToken">Nobody waits any more.</param>
    /// <exception cref="BackendFailure">Logging in failed, now or a moment ago.</exception>
    public async Task<BackendAnswer> UseAsync(
        TKey key, Func<Task<BackendToken>> logIn, Func<Secret, CancellationToken, Task<BackendAnswer>> use, Func<BackendAnswer, bool> isRefused, CancellationToken cancellationToken)
    {
        var current = Current(key, logIn);
        var answer = await use(await current.Token.WaitAsync(cancellationToken), cancellationToken);
        if (!isRefused(answer) || !GiveUp(key, current))
        {
            return answer;
        }

        return await use(await Current(key, logIn).Token.WaitAsync(cancellationToken), cancellationToken);
    }

    private LogIn Current(TKey key, Func<Task<BackendToken>> logIn)
    {
        lock (_gate)
        {
            if (_logIns.TryGetValue(key, out var current) && !current.IsOver)
            {
                return current;
            }

            if (_logIns.Count >= MaxTokens)
            {
                MakeRoom();
            }

            return _logIns[key] = new LogIn(logIn, time);
        }
    }

    /// <summary>Gives a token up that was refused. Not when it is fresh; another's new one stays.</summary>
    private bool GiveUp(TKey key, LogIn refused)
    {
        lock (_gate)
        {
            if (refused.IsFresh)
            {
                return false;
            }

            if (_logIns.TryGetValue(key, out var current) && ReferenceEquals(current, refused))
            {
                _logIns.Remove(key);
            }

            return true;
        }
    }

    private void MakeRoom()
    {
        foreach (var key in _logIns.Where(static pair => pair.Value.IsOver).Select(static pair => pair.Key).ToList())
        {
            _logIns.Remove(key);
        }

        foreach (var key in _logIns.OrderBy(static pair => pair.Value.BeganAt).Take(_logIns.Count - MaxTokens + 1).Select(static pair => pair.Key).ToList())
        {
            _logIns.Remove(key);
        }
    }

    /// <summary>One log-in, and the token or the refusal that came of it.</summary>
    private sealed class LogIn
    {
        private readonly TimeProvider _time;

        /// <summary>Until when what came of it holds, in ticks of the clock; as long as it goes on, for ever.</summary>
        private long _until = long.MaxValue;

        public LogIn(Func<Task<BackendToken>> logIn, TimeProvider time)
        {
            _time = time;
            BeganAt = time.GetTimestamp();

            // Not on the scheduler of the grain that happens to ask first: others wait for it too, and that one may be gone.
            Token = Task.Run(() => RunAsync(logIn));
        }

        /// <summary>The token.</summary>
        public Task<Secret> Token { get; }

        public long BeganAt { get; }

        public bool IsOver => _time.GetTimestamp() >= Interlocked.Read(ref _until);

        public bool IsFresh => _time.GetElapsedTime(BeganAt) < FreshFor;

        private async Task<Secret> RunAsync(Func<Task<BackendToken>> logIn)
        {
            var holds = TimeSpan.Zero;
            try
            {
                var token = await logIn();
                var lifetime = token.Lifetime <= TimeSpan.Zero || token.Lifetime > MaxLifetime ? MaxLifetime : token.Lifetime;
                holds = lifetime - TimeSpan.FromTicks(Math.Min(lifetime.Ticks / 5, MaxMargin.Ticks));
                return token.Value;
            }
            catch (BackendFailure failure) when (failure.Fault == BackendFault.LoginRefused)
            {
                holds = RefusalMemory;
                throw;
            }
            finally
            {
                Interlocked.Exchange(ref _until, _time.GetTimestamp() + (long)(holds.TotalSeconds * _time.TimestampFrequency));
            }
        }
    }
}
