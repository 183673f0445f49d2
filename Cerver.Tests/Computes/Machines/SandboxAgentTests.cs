using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Reflection;
using Cerver.Computes;
using Cerver.Errors;
using Cerver.Grains.Computes;
using Cerver.Grains.Computes.Relays;
using Cerver.Tests.Relays;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace Cerver.Tests.Computes.Machines;

/// <summary>An opening that takes long, its callers, and what is stored of it, moment by moment.</summary>
public sealed class SandboxAgentTests : IDisposable
{
    private static readonly SandboxSpec Spec = new("sbx_0123456789abcdef0123456789abcdef", Network: false);

    private readonly FakeTimeProvider _time = new();
    private readonly StoredState _stored = new();
    private readonly SandboxRegistration _registration;
    private readonly SandboxAgent _agent;
    private readonly ConcurrentQueue<string> _asked = new();
    private readonly ConcurrentQueue<TaskCompletionSource<MachineAnswer>> _answers = new();
    private bool _hasLeft;
    private int _changes;

    public SandboxAgentTests()
    {
        var machine = DispatchProxy.Create<IMachineGrain, ScriptedMachine>();
        ((ScriptedMachine)(object)machine).Ask = request =>
        {
            _asked.Enqueue($"{request.Method} {request.Path}");
            var answer = new TaskCompletionSource<MachineAnswer>(TaskCreationOptions.RunContinuationsAsynchronously);
            _answers.Enqueue(answer);
            return answer.Task;
        };
        _stored.State = new ComputeState { SessionId = "ses_1", DownSince = _time.GetUtcNow() };
        _registration = new(_stored, grain: null!, () => _hasLeft = true, Spec.SandboxId, TimeSpan.FromDays(1), _time, NullLogger.Instance);
        _agent = new(
            _registration, () => new AgentProvider(new MachineCalls(machine, "comp_1"), _stored.State.RemoteId, _time), Spec.SandboxId, () => _changes++, _time, NullLogger.Instance);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task What_is_opened_when_its_caller_has_given_up_is_up_on_record(bool isCancelled)
    {
        using var cancel = new CancellationTokenSource();
        var opening = _agent.OpenAsync(Spec, cancel.Token);
        if (isCancelled)
        {
            await cancel.CancelAsync();
        }
        else
        {
            _time.Advance(TimeSpan.FromSeconds(20));
        }

        var refused = await Record.ExceptionAsync(() => opening);
        var wasOpening = _agent.IsOpening;
        await OpenedAsync("late");

        Assert.True(isCancelled ? refused is OperationCanceledException : refused is CerverException { Code: CerverError.ProviderUnavailable }, refused?.ToString());
        Assert.True(wasOpening);
        Assert.Equal(("late", null, 2), (_stored.Written?.RemoteId, _stored.Written?.DownSince, _changes));
        Assert.Single(_asked);
    }

    [Fact]
    public async Task What_failed_when_nobody_waited_any_more_is_nothing_to_whoever_comes_next()
    {
        using var cancel = new CancellationTokenSource();
        var first = _agent.OpenAsync(Spec, cancel.Token);
        await cancel.CancelAsync();
        var refused = await Record.ExceptionAsync(() => first);
        Answer(500);
        await EndedAsync();

        var second = _agent.OpenAsync(Spec, CancellationToken.None);
        await OpenedAsync("second");

        Assert.NotNull(refused);
        Assert.Equal("second", ((AgentSandbox)await second).RemoteId);
    }

    [Fact]
    public async Task What_nobody_wants_any_more_is_removed_and_its_name_is_kept_until_that_has_succeeded()
    {
        var opening = _agent.OpenAsync(Spec, CancellationToken.None);
        _agent.GiveUp();
        _time.Advance(TimeSpan.FromSeconds(20));
        await Record.ExceptionAsync(() => opening);
        Answer(201, "late");
        await AskedAsync("DELETE /api/cerver/provider/sandboxes/late");
        Answer(500);
        await EndedAsync();
        var (left, downSince) = (_stored.Written?.RemoteId, _stored.Written?.DownSince);

        var removing = _agent.RemoveAsync();
        Answer(204);
        await removing;

        Assert.Equal(("late", _time.GetUtcNow()), (left, downSince));
        Assert.Null(_stored.Written?.RemoteId);
    }

    [Fact]
    public async Task What_is_wanted_again_before_it_is_there_is_used()
    {
        var first = _agent.OpenAsync(Spec, CancellationToken.None);
        _agent.GiveUp();
        var second = _agent.OpenAsync(Spec, CancellationToken.None);
        await OpenedAsync("late");

        Assert.Equal(("late", "late"), (((AgentSandbox)await first).RemoteId, ((AgentSandbox)await second).RemoteId));
        Assert.Single(_asked);
    }

    [Fact]
    public async Task Whoever_comes_while_it_is_removed_gets_another_when_the_first_is_gone()
    {
        var first = _agent.OpenAsync(Spec, CancellationToken.None);
        _agent.GiveUp();
        Answer(201, "unwanted");
        await AskedAsync("DELETE /api/cerver/provider/sandboxes/unwanted");
        Answer(500);
        await AskedAsync("DELETE /api/cerver/provider/sandboxes/unwanted");
        Answer(204);
        await AskedAsync("POST /api/cerver/provider/sandboxes");
        await OpenedAsync("wanted");

        Assert.Equal("wanted", ((AgentSandbox)await first).RemoteId);
        Assert.Equal("wanted", _stored.Written?.RemoteId);
    }

    [Fact]
    public async Task What_cannot_be_stored_is_removed_at_once_and_is_not_taken_for_stored()
    {
        _stored.Fails = true;
        var opening = _agent.OpenAsync(Spec, CancellationToken.None);
        Answer(201, "unknown");
        await AskedAsync("DELETE /api/cerver/provider/sandboxes/unknown");
        Answer(204);

        var refused = await Assert.ThrowsAsync<CerverException>(() => opening);

        Assert.Equal((CerverError.StorageUnavailable, true), (refused.Code, _hasLeft));
        Assert.Null(_stored.State.RemoteId);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task What_is_opened_when_its_sandbox_was_released_or_its_activation_is_over_is_removed_and_not_stored(bool isReleased)
    {
        var opening = _agent.OpenAsync(Spec, CancellationToken.None);
        if (isReleased)
        {
            _stored.RecordExists = false;
        }
        else
        {
            _agent.Leave();
        }

        Answer(201, "late");
        await AskedAsync("DELETE /api/cerver/provider/sandboxes/late");
        Answer(204);

        Assert.Equal(CerverError.ProviderUnavailable, (await Assert.ThrowsAsync<CerverException>(() => opening)).Code);
        Assert.Equal((null, isReleased ? 2 : 1), (_stored.Written, _changes));
    }

    public void Dispose() => _registration.Dispose();

    /// <summary>Answers the oldest request that waits.</summary>
    private void Answer(int status, string? opened = null)
    {
        Assert.True(_answers.TryDequeue(out var answer));
        answer.SetResult(new(status, ImmutableDictionary<string, string>.Empty, opened is null ? null : $$"""{"sandbox_id":"{{opened}}"}"""));
    }

    private async Task OpenedAsync(string remoteId)
    {
        Answer(201, remoteId);
        await EndedAsync();
    }

    private Task EndedAsync() => Waiting.UntilAsync(() => !_agent.IsOpening);

    private async Task AskedAsync(string request)
    {
        await Waiting.UntilAsync(() => !_answers.IsEmpty);
        Assert.Equal(request, _asked.Last());
    }

    /// <summary>A machine that only takes requests.</summary>
#pragma warning disable CA1852 // The proxy derives from it.
    internal class ScriptedMachine : DispatchProxy
#pragma warning restore CA1852
    {
        public Func<MachineRequest, Task<MachineAnswer>> Ask { get; set; } = null!;

        protected override object? Invoke(MethodInfo? targetMethod, object?[]? args) =>
            targetMethod!.Name == nameof(IMachineGrain.RequestAsync) ? Ask((MachineRequest)args![0]!) : throw new NotSupportedException(targetMethod.Name);
    }

    private sealed class StoredState : IPersistentState<ComputeState>
    {
        public ComputeState State { get; set; } = new();

        public string Etag => "";

        public bool RecordExists { get; set; } = true;

        /// <summary>What was written last, or null.</summary>
        public ComputeState? Written { get; private set; }

        public bool Fails { get; set; }

        public Task ClearStateAsync() => throw new NotSupportedException();

        public Task WriteStateAsync()
        {
            if (Fails)
            {
                throw new IOException("The disk is full.");
            }

            Written = State;
            return Task.CompletedTask;
        }

        public Task ReadStateAsync() => throw new NotSupportedException();
    }
}
