using System.Collections.Immutable;
using Cerver.Computes;
using Cerver.Grains.Secrets;
using Cerver.Grains.Sessions;
using Cerver.Secrets;
using Cerver.Sessions;
using Microsoft.Extensions.DependencyInjection;
using static Cerver.Tests.GrainCluster;

namespace Cerver.Tests.Secrets;

/// <summary>Texts that are cut have no beginning of a value.</summary>
public sealed class CutTextTests : IAsyncLifetime
{
    private const string Value = "the-value-of-the-token-which-is-rather-long";
    private const string Beginning = "the-value";

    private readonly GrainCluster _cluster = new()
    {
        Configure = static silo => silo.Services
            .AddSingleton<ISecretSource>(new ScriptedSource("scripted", "TOKEN", Value))
            .Configure<SessionLimits>(static limits => limits.MaxEntryBytes = 1_024),
    };

    public Task InitializeAsync() => _cluster.InitializeAsync();

    public Task DisposeAsync() => _cluster.DisposeAsync();

    [Fact]
    public async Task A_name_that_is_made_of_the_beginning_of_a_task_has_none()
    {
        var (session, accountId, _) = _cluster.NewSession();
        await FetchAsync(accountId);

        var created = (await session.CreateAsync(Request(ComputeChoice.None, name: null) with { Task = $"Log in to the test system with {Value} and look" })).Value;

        Assert.Equal("Log in to the test system with [secret:TOKEN] and look", created.Task);
        Assert.Equal(created.Task, created.SessionName);
    }

    [Fact]
    public async Task An_import_has_none_in_its_name_and_in_entries_that_are_too_long()
    {
        var (session, accountId, sessionId) = _cluster.NewSession();
        await FetchAsync(accountId);
        var half = Value[..(Value.Length / 2)].Length;
        ImmutableArray<TranscriptEntry> entries =
        [
            .. Enumerable.Range(0, 30).Select(i => Text(new string('x', 1_024 - 100 - half - i) + Value + new string('x', 1_024))),
            Text("-") with { Kind = $"{new string('k', 64 - 12)}{Value}", ToolId = $"{new string('k', 200 - 12)}{Value}" },
        ];

        var progress = await session.ImportAsync(new ImportPart(
            Request(ComputeChoice.None, name: null), $"{new string('t', 180)} {Value}", CreatedAt: null, UpdatedAt: null, IsEnded: false, EndReason: null, First: 0, entries, IsLast: true));

        Assert.DoesNotContain(Beginning, progress.Session.SessionName, StringComparison.Ordinal);
        Assert.All(
            (await _cluster.Recall.ReadSessionAsync(accountId, sessionId, new())).Entries,
            static entry => Assert.DoesNotContain(Beginning, $"{entry.Kind} {entry.ToolId} {entry.Content}", StringComparison.Ordinal));
    }

    private Task<FetchedSecret> FetchAsync(string accountId) => _cluster.Grains.GetGrain<ISecretGrain>(SecretKey.For(accountId)).FetchAsync(new("TOKEN"));
}
