using System.Collections.Immutable;
using System.Reflection;
using Cerver.Computes;
using Cerver.Grains.Computes;
using Cerver.Grains.Computes.Relays;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace Cerver.Tests.Computes.Machines;

/// <summary>An opening and its callers, moment by moment.</summary>
public sealed class SandboxAgentTests
{
    private static readonly SandboxSpec Spec = new("sbx_0123456789abcdef0123456789abcdef", Network: false);

    private readonly FakeTimeProvider _time = new();
    private TaskCompletionSource<MachineAnswer> _answer = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _asked;

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task What_is_opened_in_the_moment_that_its_caller_gives_up_is_for_the_next_one(bool isCancelled)
    {
        var turns = new Turns();
        var agent = Create();
        using var cancel = new CancellationTokenSource();
        var first = turns.Begin(() => agent.OpenAsync(Spec, cancel.Token));
        if (isCancelled)
        {
            await cancel.CancelAsync();
        }
        else
        {
            _time.Advance(TimeSpan.FromSeconds(20));
        }

        var givesUp = turns.TakeFirst();
        _answer.SetResult(new(201, ImmutableDictionary<string, string>.Empty, """{"sandbox_id":"late"}"""));
        turns.RunAll();
        givesUp();
        turns.RunAll();
        var refused = await Record.ExceptionAsync(() => first);
        var second = await agent.OpenAsync(Spec, CancellationToken.None);

        Assert.NotNull(refused);
        Assert.Equal(("late", 1), (((AgentSandbox)second).RemoteId, _asked));
    }

    [Fact]
    public async Task What_failed_when_nobody_waited_any_more_is_nothing_to_whoever_comes_next()
    {
        var turns = new Turns();
        var agent = Create();
        using var cancel = new CancellationTokenSource();
        var first = turns.Begin(() => agent.OpenAsync(Spec, cancel.Token));
        await cancel.CancelAsync();
        turns.RunAll();
        var refused = await Record.ExceptionAsync(() => first);
        _answer.SetResult(new(500, ImmutableDictionary<string, string>.Empty, Body: null));
        turns.RunAll();
        _answer = new(TaskCreationOptions.RunContinuationsAsynchronously);

        var second = agent.OpenAsync(Spec, CancellationToken.None);
        _answer.SetResult(new(201, ImmutableDictionary<string, string>.Empty, """{"sandbox_id":"second"}"""));

        Assert.NotNull(refused);
        Assert.Equal(("second", 2), (((AgentSandbox)await second).RemoteId, _asked));
    }

    private SandboxAgent Create()
    {
        var machine = DispatchProxy.Create<IMachineGrain, ScriptedMachine>();
        ((ScriptedMachine)(object)machine).Ask = () =>
        {
            _asked++;
            return _answer.Task;
        };
        return new(registration: null!, () => new AgentProvider(new MachineCalls(machine, "comp_1"), remoteId: null, _time), Spec.SandboxId, _time, NullLogger.Instance);
    }

    /// <summary>A machine that only takes requests.</summary>
#pragma warning disable CA1852 // The proxy derives from it.
    internal class ScriptedMachine : DispatchProxy
#pragma warning restore CA1852
    {
        public Func<Task<MachineAnswer>> Ask { get; set; } = null!;

        protected override object? Invoke(MethodInfo? targetMethod, object?[]? args) =>
            targetMethod!.Name == nameof(IMachineGrain.RequestAsync) ? Ask() : throw new NotSupportedException(targetMethod.Name);
    }

    /// <summary>What is to be done next, as a grain's scheduler has it: one after the other, when the test says so.</summary>
    private sealed class Turns : SynchronizationContext
    {
        private readonly Queue<Action> _waiting = new();

        public override void Post(SendOrPostCallback d, object? state)
        {
            lock (_waiting)
            {
                _waiting.Enqueue(() => Begin(() =>
                {
                    d(state);
                    return 0;
                }));
            }
        }

        public T Begin<T>(Func<T> act)
        {
            var before = Current;
            SetSynchronizationContext(this);
            try
            {
                return act();
            }
            finally
            {
                SetSynchronizationContext(before);
            }
        }

        public Action TakeFirst()
        {
            lock (_waiting)
            {
                return _waiting.Dequeue();
            }
        }

        public void RunAll()
        {
            while (_waiting.Count > 0)
            {
                TakeFirst()();
            }
        }
    }
}
