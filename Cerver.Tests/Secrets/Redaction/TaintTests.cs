using Cerver.Errors;
using Cerver.Grains.Computes;
using Cerver.Grains.Secrets;
using Cerver.Grains.Secrets.Redaction;
using Cerver.Secrets;
using Cerver.Sessions;
using Cerver.Silo.Storage;
using Cerver.Tests.Clustered;
using Cerver.Tests.Storage;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Orleans.Storage;
using static Cerver.Tests.GrainCluster;

namespace Cerver.Tests.Secrets.Redaction;

/// <summary>What an account was given is redacted by every silo, whatever becomes of silos.</summary>
public sealed class TaintTests : IAsyncLifetime
{
    private const string Value = "the-value-of-the-token";

    private readonly ScriptedSource _source = new("scripted", "TOKEN", Value);
    private readonly string _account = NewAccount();
    private PostgresTestDatabase _database = null!;

    public async Task InitializeAsync() => _database = await PostgresTestDatabase.CreateAsync();

    public Task DisposeAsync() => _database.DisposeAsync().AsTask();

    [Fact]
    public async Task Every_silo_redacts_what_one_of_them_gave_away_and_only_for_the_account_that_has_it()
    {
        await using var cluster = await StartAsync(silos: 3);

        // Sessions enough that each silo writes for some, before the value is given away.
        var sessions = await Task.WhenAll(Enumerable.Range(0, 24).Select(_ => CreateAsync(cluster, _account)));
        Assert.Equal([Value], (await SayAsync(cluster, _account, sessions[..1])).Distinct());
        await FetchAsync(cluster);

        Assert.Equal(["[secret:TOKEN]"], (await SayAsync(cluster, _account, sessions)).Distinct());
        var other = NewAccount();
        Assert.Equal([Value], await SayAsync(cluster, other, [await CreateAsync(cluster, other)]));
    }

    [Fact]
    public async Task A_silo_that_joins_and_one_that_goes_on_alone_redact_it_too()
    {
        await using var cluster = await StartAsync(silos: 2);
        await FetchAsync(cluster);

        var joined = await cluster.JoinAsync();
        var sessions = await Task.WhenAll(Enumerable.Range(0, 24).Select(_ => CreateAsync(cluster, _account)));
        Assert.Equal(["[secret:TOKEN]"], (await SayAsync(cluster, _account, sessions)).Distinct());

        // As if one of the sessions had been there for sure.
        await joined.ServiceProvider.GetRequiredService<TaintRegistry>().OfAsync(_account);

        // Also by whoever knows it from those that are gone, and not from its source, which has another value by now.
        _source["TOKEN"] = "another-value-altogether";
        await cluster.KillAsync(cluster.Silos[0]);
        await cluster.KillAsync(cluster.Silos[0]);
        Assert.Equal(["[secret:TOKEN]"], (await SayAsync(cluster, _account, sessions)).Distinct());
    }

    [Fact]
    public async Task A_silo_that_leaves_tells_the_others_what_only_it_knew()
    {
        await using var cluster = await StartAsync(silos: 1);
        await FetchAsync(cluster);
        _source["TOKEN"] = "another-value-altogether";

        await cluster.JoinAsync();
        await cluster.StopAsync(cluster.Silos[0]);
        var session = await EventuallyAsync(() => CreateAsync(cluster, _account));

        Assert.Equal(["[secret:TOKEN]"], await SayAsync(cluster, _account, [session]));
    }

    [Fact]
    public async Task After_a_start_the_value_is_read_again_before_anything_is_written()
    {
        await using (var before = await StartAsync())
        {
            await FetchAsync(before);
        }

        await using var after = await StartAsync();
        var session = await CreateAsync(after, _account);

        Assert.Equal(["[secret:TOKEN]"], await SayAsync(after, _account, [session]));
    }

    [Fact]
    public async Task While_it_cannot_be_read_again_nothing_is_written_that_might_have_it_and_the_refusal_says_so()
    {
        await using (var before = await StartAsync())
        {
            await FetchAsync(before);
        }

        _source.IsDown = true;
        var other = NewAccount();
        await using var after = await StartAsync();
        var refusal = await Assert.ThrowsAsync<CerverException>(() => CreateAsync(after, _account));
        var others = await CreateAsync(after, other);

        Assert.Equal(CerverError.SecretBackendUnavailable, refusal.Code);
        Assert.Contains("The source scripted is down.", refusal.Message, StringComparison.Ordinal);
        Assert.Equal(["a word"], await SayAsync(after, other, [others], "a word"));

        _source.IsDown = false;
        var session = await EventuallyAsync(() => CreateAsync(after, _account));
        Assert.Equal(["[secret:TOKEN]"], await SayAsync(after, _account, [session]));
    }

    [Fact]
    public async Task Another_source_that_has_the_name_is_not_taken_for_the_one_that_cannot_be_asked()
    {
        await using (var before = await StartAsync())
        {
            await FetchAsync(before);
        }

        _source.IsDown = true;
        await using var after = await SiloCluster.StartAsync(_database, silos: 1, silo => silo.Services
            .AddSingleton<ISecretSource>(_source)
            .AddSingleton<ISecretSource>(new ScriptedSource("another", "TOKEN", "a-value-of-another-source"))
            .Configure<SecretOptions>(static options => options.AsksNextWhenUnavailable = true));
        var refusal = await Assert.ThrowsAsync<CerverException>(() => CreateAsync(after, _account));

        Assert.Equal(CerverError.SecretBackendUnavailable, refusal.Code);
    }

    [Fact]
    public async Task What_was_given_is_read_again_from_the_source_that_gave_it_whatever_the_order_is_by_then()
    {
        await using (var before = await StartAsync())
        {
            await FetchAsync(before);
        }

        var another = new ScriptedSource("another", "TOKEN", "a-value-of-another-source");
        await using var after = await StartAsync(
            configure: static options =>
            {
                options.Order.Add("another");
                options.Order.Add("scripted");
            },
            withSilo: silo => silo.Services.AddSingleton<ISecretSource>(another));
        var session = await CreateAsync(after, _account);

        Assert.Equal(["[secret:TOKEN] a-value-of-another-source"], await SayAsync(after, _account, [session], $"{Value} a-value-of-another-source"));
        await FetchAsync(after, "a-value-of-another-source");
        Assert.Equal(["[secret:TOKEN] [secret:TOKEN]"], await SayAsync(after, _account, [session], $"{Value} a-value-of-another-source"));
    }

    [Fact]
    public async Task A_source_that_hangs_holds_writers_no_longer_than_its_limit()
    {
        await using (var before = await StartAsync())
        {
            await FetchAsync(before);
        }

        _source.Hangs = true;
        await using var after = await StartAsync();
        var refusal = await Assert.ThrowsAsync<CerverException>(() => CreateAsync(after, _account));

        Assert.Equal(CerverError.SecretBackendUnavailable, refusal.Code);
        Assert.Contains("scripted takes too long", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_attempt_to_fetch_is_on_record_while_nobody_can_say_what_must_not_be_written()
    {
        await using (var before = await StartAsync())
        {
            await FetchAsync(before);
        }

        _source.IsDown = true;
        await using var after = await StartAsync();
        await Assert.ThrowsAsync<CerverException>(() => Secrets(after).FetchAsync(new(Value.Replace('-', '_'))));
        var accesses = await Secrets(after).ListAccessesAsync(new(Limit: 10));

        Assert.Equal(("[withheld]", "scripted", SecretOutcome.Unavailable), (accesses.Accesses[0].Name, accesses.Accesses[0].Source, accesses.Accesses[0].Outcome));
    }

    [Fact]
    public async Task An_operator_may_prefer_that_it_is_written()
    {
        await using (var before = await StartAsync())
        {
            await FetchAsync(before);
        }

        _source.IsDown = true;
        await using var after = await StartAsync(configure: static options => options.WritesUnredacted = true);

        var session = await CreateAsync(after, _account);
        Assert.Equal([Value], await SayAsync(after, _account, [session]));

        // Until it can be read again, which nobody has to ask for.
        _source.IsDown = false;
        await UntilAsync(async () => (await SayAsync(after, _account, [session])) is ["[secret:TOKEN]"]);
    }

    [Fact]
    public async Task Then_only_what_cannot_be_read_again_is_not_redacted()
    {
        _source["ANOTHER"] = "the-value-of-another";
        await using (var before = await StartAsync())
        {
            await FetchAsync(before);
            await Secrets(before).FetchAsync(new("ANOTHER"));
        }

        _source.Lacking = "TOKEN";
        await using var after = await StartAsync(configure: static options => options.WritesUnredacted = true);

        Assert.Equal(
            [$"{Value} [secret:ANOTHER]"], await SayAsync(after, _account, [await CreateAsync(after, _account)], $"{Value} the-value-of-another"));
    }

    [Fact]
    public async Task A_name_that_could_not_be_stored_is_stored_the_next_time()
    {
        var isFailing = true;
        await using (var before = await StartAsync(withSilo: silo => silo.Services.AddKeyedSingleton<IGrainStorage>(
            ComputeGrain.StorageName,
            (services, _) => new CancelledStorage(services.GetRequiredKeyedService<IGrainStorage>(GuardedGrainStorage.InnerName(ComputeGrain.StorageName)), () => isFailing))))
        {
            await Assert.ThrowsAnyAsync<Exception>(() => Secrets(before).FetchAsync(new("TOKEN")));
            isFailing = false;
            await FetchAsync(before);
        }

        await using var after = await StartAsync();
        Assert.Equal(["[secret:TOKEN]"], await SayAsync(after, _account, [await CreateAsync(after, _account)]));
    }

    [Fact]
    public async Task A_secret_that_is_gone_from_its_source_after_a_start_is_forgotten()
    {
        await using (var before = await StartAsync())
        {
            await FetchAsync(before);
        }

        _source["TOKEN"] = null;
        await using var after = await StartAsync();

        Assert.Equal([Value], await SayAsync(after, _account, [await CreateAsync(after, _account)]));
    }

    [Fact]
    public async Task A_value_that_was_replaced_is_redacted_as_well_as_the_new_one()
    {
        await using var cluster = await StartAsync();
        var session = await CreateAsync(cluster, _account);
        await FetchAsync(cluster);
        _source["TOKEN"] = "the-newer-value-of-it";
        await FetchAsync(cluster, "the-newer-value-of-it");
        await cluster.DeactivateAsync(GrainId.Create("taints", TaintKey.For(_account)));

        Assert.Equal(["[secret:TOKEN] [secret:TOKEN]"], await SayAsync(cluster, _account, [session], $"{Value} the-newer-value-of-it"));
    }

    [Fact]
    public async Task What_is_too_long_or_too_much_to_be_redacted_is_not_given_away()
    {
        await using var cluster = await StartAsync();
        _source["LONG"] = new string('x', SecretForms.MaxBytes + 1);
        var tooLong = await Assert.ThrowsAsync<CerverException>(() => Secrets(cluster).FetchAsync(new("LONG")));
        for (var i = 0; i < 16; i++)
        {
            _source[$"PART{i}"] = RandomSecrets.Plain(new Random(i), SecretForms.MaxBytes);
            await Secrets(cluster).FetchAsync(new($"PART{i}"));
        }

        _source["ONE_MORE"] = RandomSecrets.Plain(new Random(99), 1_000);
        var tooMuch = await Assert.ThrowsAsync<CerverException>(() => Secrets(cluster).FetchAsync(new("ONE_MORE")));

        Assert.Equal((CerverError.PayloadTooLarge, CerverError.Conflict), (tooLong.Code, tooMuch.Code));
        Assert.DoesNotContain("xxx", tooLong.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_short_value_is_given_away_and_known_not_to_be_redacted()
    {
        await using var cluster = await StartAsync();
        _source["PIN"] = "1234567";

        var fetched = await Secrets(cluster).FetchAsync(new("PIN"));

        Assert.Equal(("1234567", false), (fetched.Value.Reveal(), fetched.IsRedacted));
        Assert.Equal(["it is 1234567"], await SayAsync(cluster, _account, [await CreateAsync(cluster, _account)], "it is 1234567"));
    }

    private Task<SiloCluster> StartAsync(short silos = 1, Action<SecretOptions>? configure = null, Action<ISiloBuilder>? withSilo = null) => SiloCluster.StartAsync(
        _database,
        silos,
        silo =>
        {
            silo.Services.AddSingleton<ISecretSource>(_source).Configure<SecretOptions>(options =>
            {
                options.CacheLifetime = TimeSpan.Zero;
                configure?.Invoke(options);
            });
            withSilo?.Invoke(silo);
        });

    private ISecretGrain Secrets(SiloCluster cluster) => cluster.Client.GetGrain<ISecretGrain>(SecretKey.For(_account));

    private async Task FetchAsync(SiloCluster cluster, string value = Value) => Assert.Equal(value, (await Secrets(cluster).FetchAsync(new("TOKEN"))).Value.Reveal());

    private static async Task<string> CreateAsync(SiloCluster cluster, string accountId)
    {
        var sessionId = Ids.NewSession(TimeProvider.System);
        await cluster.Session(accountId, sessionId).CreateAsync(Request(Cerver.Computes.ComputeChoice.None));
        return sessionId;
    }

    /// <summary>Says something in sessions and gives what they have of it.</summary>
    private static async Task<string[]> SayAsync(SiloCluster cluster, string accountId, string[] sessions, string text = Value) => await Task.WhenAll(sessions.Select(async sessionId =>
    {
        var total = (await EventuallyAsync(() => cluster.Session(accountId, sessionId).AppendAsync(new AppendEntries([Text(text)])))).Value;
        var page = await cluster.Client.GetGrain<IRecallGrain>(0).ReadSessionAsync(accountId, sessionId, new());
        return page.Entries[(int)total - 1].Content!;
    }));

    private static async Task UntilAsync(Func<Task<bool>> isSo)
    {
        for (var attempt = 0; !await isSo(); attempt++)
        {
            Assert.True(attempt < 300, "It did not become so within 30 s.");
            await Task.Delay(TimeSpan.FromMilliseconds(100));
        }
    }

    /// <summary>Asks again while a silo is gone and the others have not heard, or a refusal of a moment ago stands.</summary>
    private static async Task<T> EventuallyAsync<T>(Func<Task<T>> ask)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                return await ask();
            }
            catch (Exception failure) when (attempt < 100 && failure is OrleansException or TimeoutException or CerverException { Code: CerverError.SecretBackendUnavailable })
            {
                await Task.Delay(TimeSpan.FromMilliseconds(100));
            }
        }
    }

    /// <summary>Writes that somebody calls off.</summary>
    private sealed class CancelledStorage(IGrainStorage inner, Func<bool> fails) : IGrainStorage
    {
        public Task ReadStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState) => inner.ReadStateAsync(stateName, grainId, grainState);

        public Task WriteStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState) =>
            fails() ? throw new OperationCanceledException("Called off.") : inner.WriteStateAsync(stateName, grainId, grainState);

        public Task ClearStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState) => inner.ClearStateAsync(stateName, grainId, grainState);
    }
}
