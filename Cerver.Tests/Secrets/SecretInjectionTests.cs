using System.Collections.Immutable;
using System.Text.Json;
using Cerver.Computes;
using Cerver.Errors;
using Cerver.Grains.Secrets;
using Cerver.Runs;
using Cerver.Secrets;
using Cerver.Sessions;
using Microsoft.Extensions.DependencyInjection;
using static Cerver.Tests.GrainCluster;

namespace Cerver.Tests.Secrets;

/// <summary>Secrets get into the environment of runs and into nothing else.</summary>
public sealed class SecretInjectionTests : IAsyncLifetime
{
    private const string Value = "the-value-of-the-token";

    private readonly ScriptedSource _source = new("scripted", "TOKEN", Value, "OTHER", "the-value-of-the-other", "ZERO", "zero\0zero\0zero");
    private readonly GrainCluster _cluster;

    public SecretInjectionTests() => _cluster = new() { Configure = silo => silo.Services.AddSingleton<ISecretSource>(_source) };

    public Task InitializeAsync() => _cluster.InitializeAsync();

    public Task DisposeAsync() => _cluster.DisposeAsync();

    [Fact]
    public async Task A_run_gets_the_secrets_of_its_session_and_its_own_and_what_it_prints_of_them_is_redacted()
    {
        var (session, accountId, sessionId) = _cluster.NewSession();
        var created = await session.CreateAsync(Request(requirements: """{"runtime":"shell"}""") with { Secrets = ["TOKEN"] });

        var run = (await session.StartRunAsync(Run($"echo {Value}") with { Secrets = ["OTHER"], Key = "ck_1234…" })).Value;
        var process = await _cluster.Provider.Sandbox(created.Value.SandboxId!).NextAsync();
        process.Print($"{Value[..9]}");
        process.Print($"{Value[9..]} and ");
        process.Print("the-value-of-the-other", OutputKind.Stderr);
        process.End(exitCode: 0);
        var entries = await EntriesAsync(accountId, sessionId, until: 4);

        Assert.Equal((Value, "the-value-of-the-other"), (process.Command.Environment["TOKEN"], process.Command.Environment["OTHER"]));
        Assert.Equal($"echo {Value}", process.Command.Code);
        Assert.Equal("echo [secret:TOKEN]", run.Code);
        Assert.Equal("""{"runtime":"shell","secrets":["TOKEN"]}""", created.Value.Requirements);
        Assert.Equal(
            [("secret_access", NoteOf("TOKEN", "injected", run.RunId)), ("secret_access", NoteOf("OTHER", "injected", run.RunId))],
            entries[..2].Select(static entry => (entry.Kind, entry.Content!)));
        Assert.Equal(JsonSerializer.Serialize(new { code = "echo [secret:TOKEN]", run_id = run.RunId }), entries[2].ToolInput);
        Assert.Equal(["[secret:OTHER]", "[secret:TOKEN] and "], new[] { "[secret:TOKEN] and ", "[secret:OTHER]" }.Where(entries[3].Content!.Contains).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task What_a_caller_puts_into_the_environment_goes_first_and_its_secret_is_not_asked_for()
    {
        var (session, _, _) = _cluster.NewSession();
        var created = await session.CreateAsync(Request() with { Secrets = ["TOKEN"] });

        await session.StartRunAsync(Run() with { Environment = ImmutableDictionary<string, string>.Empty.Add("TOKEN", "mine") });
        var process = await _cluster.Provider.Sandbox(created.Value.SandboxId!).NextAsync();

        Assert.Equal(("mine", 0), (process.Command.Environment["TOKEN"], _source.Asked));
    }

    [Theory]
    [InlineData("NOT_THERE", CerverError.SecretNotFound, "not_found")]
    [InlineData("ZERO", CerverError.InvalidRequest, "denied")]
    [InlineData("DOWN", CerverError.SecretBackendUnavailable, "unavailable")]
    public async Task A_run_that_cannot_have_a_secret_does_not_start_and_the_transcript_says_why(string name, CerverError code, string outcome)
    {
        var (session, accountId, sessionId) = _cluster.NewSession();
        await session.CreateAsync(Request());
        _source.IsDown = name == "DOWN";
        var run = Run() with { Secrets = [name] };

        var refusal = await Assert.ThrowsAsync<CerverException>(() => session.StartRunAsync(run));

        Assert.Equal(code, refusal.Code);
        Assert.DoesNotContain("zero\0", refusal.Message, StringComparison.Ordinal);
        var entry = Assert.Single(await EntriesAsync(accountId, sessionId, until: 1));
        Assert.Contains($"\"outcome\":\"{outcome}\"", entry.Content, StringComparison.Ordinal);
        var access = Assert.Single((await _cluster.Grains.GetGrain<ISecretGrain>(SecretKey.For(accountId)).ListAccessesAsync(new SecretAccessFilter(Limit: 10))).Accesses);
        Assert.Equal((name, run.RunId, sessionId, outcome), (access.Name, access.RunId, access.SessionId, SecretOutcomes.WordOf(access.Outcome)));
        Assert.Equal(code == CerverError.SecretNotFound ? null : "scripted", access.Source);
        Assert.Empty(await _cluster.Recall.ListRunsAsync(accountId, sessionId, before: null, limit: 10));
        _source.IsDown = false;
    }

    [Fact]
    public async Task A_run_does_not_start_when_it_cannot_be_recorded_what_it_gets()
    {
        var (session, accountId, sessionId) = _cluster.NewSession();
        var created = await session.CreateAsync(Request());
        var run = Run() with { Secrets = ["TOKEN"], Key = "ck_1234…" };
        await _cluster.ExecuteAsync("create trigger refusal before insert on secret_access begin select raise(abort, 'no more records'); end");

        var refusal = await Assert.ThrowsAsync<CerverException>(() => session.StartRunAsync(run));
        await _cluster.ExecuteAsync("drop trigger refusal");
        var left = (await EntriesAsync(accountId, sessionId, until: 0), await _cluster.Recall.ListRunsAsync(accountId, sessionId, before: null, limit: 10));
        await session.StartRunAsync(Run("echo after") with { Secrets = ["TOKEN"] });
        var process = await _cluster.Provider.Sandbox(created.Value.SandboxId!).NextAsync();

        Assert.DoesNotContain(Value, refusal.ToString(), StringComparison.Ordinal);
        Assert.Equal(([], []), left);
        Assert.Equal(("echo after", Value), (process.Command.Code, process.Command.Environment["TOKEN"]));
    }

    [Fact]
    public async Task A_run_gets_no_more_than_programs_can_be_given()
    {
        var (session, _, _) = _cluster.NewSession();
        var created = await session.CreateAsync(Request());
        string[] names = [.. Enumerable.Range(0, 9).Select(static i => $"LARGE{i}")];
        foreach (var name in names)
        {
            _source[name] = Redaction.RandomSecrets.Plain(new Random(name[^1]), 32 * 1024);
        }

        var refusal = await Assert.ThrowsAsync<CerverException>(() => session.StartRunAsync(Run() with { Secrets = [.. names] }));
        await session.StartRunAsync(Run() with { Secrets = [.. names[..8]] });
        var process = await _cluster.Provider.Sandbox(created.Value.SandboxId!).NextAsync();

        Assert.Equal((CerverError.PayloadTooLarge, "secrets", 8), (refusal.Code, refusal.Field, process.Command.Environment.Count));
    }

    [Theory]
    [InlineData("not a name")]
    [InlineData("")]
    public async Task Names_that_can_be_none_are_refused_when_the_session_is_made_and_when_it_runs(string name)
    {
        var (session, _, _) = _cluster.NewSession();
        var create = await Assert.ThrowsAsync<CerverException>(() => session.CreateAsync(Request() with { Secrets = [name] }));
        await session.CreateAsync(Request());
        var run = await Assert.ThrowsAsync<CerverException>(() => session.StartRunAsync(Run() with { Secrets = [name] }));
        var tooMany = await Assert.ThrowsAsync<CerverException>(() => session.StartRunAsync(Run() with { Secrets = [.. Enumerable.Range(0, 51).Select(static i => $"S{i}")] }));

        Assert.All([create, run, tooMany], static refusal => Assert.Equal((CerverError.InvalidRequest, "secrets"), (refusal.Code, refusal.Field)));
    }

    [Theory]
    [InlineData("""{"secrets":"TOKEN"}""")]
    [InlineData("""{"secrets":[1]}""")]
    public async Task Requirements_that_name_no_secrets_are_refused(string requirements)
    {
        var (session, _, _) = _cluster.NewSession();

        var refusal = await Assert.ThrowsAsync<CerverException>(() => session.CreateAsync(Request(requirements: requirements)));

        Assert.Equal((CerverError.InvalidRequest, "requirements.secrets"), (refusal.Code, refusal.Field));
    }

    private async Task<ImmutableArray<TranscriptEntry>> EntriesAsync(string accountId, string sessionId, int until)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        var session = _cluster.Grains.GetGrain<ISessionGrain>(SessionKey.For(accountId, sessionId));
        for (var known = 0L; ;)
        {
            var entries = (await _cluster.Recall.ReadSessionAsync(accountId, sessionId, new())).Entries;
            if (entries.Length >= until)
            {
                return entries;
            }

            known = await session.WaitAsync(known, TimeSpan.FromSeconds(1), limit.Token);
        }
    }

    private static string NoteOf(string name, string outcome, string runId) =>
        $$"""{"name":"{{name}}","outcome":"{{outcome}}","run_id":"{{runId}}","source":"scripted","type":"secret_access"}""";
}
