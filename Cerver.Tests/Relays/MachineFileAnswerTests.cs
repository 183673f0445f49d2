using System.Collections.Immutable;
using Cerver.Computes;
using Cerver.Errors;
using Cerver.Grains.Computes;
using Cerver.Grains.Computes.Relays;
using Cerver.Runs;

namespace Cerver.Tests.Relays;

/// <summary>What comes of what a relay answers about files, whatever that is.</summary>
public sealed class MachineFileAnswerTests
{
    private const string SandboxId = "sbx_0123456789abcdef0123456789abcdef";

    private static readonly ListFiles Everything = new(SandboxPath.Root, After: [], Limit: 2);
    private static readonly ReadFile Beginning = new(SandboxPath.Parse("file"u8), Offset: 0, Count: 4);

    [Theory]
    [InlineData(null)]
    [InlineData("null")]
    [InlineData("1")]
    [InlineData("{}")]
    [InlineData("""{"entries":null}""")]
    [InlineData("""{"entries":{}}""")]
    [InlineData("""{"entries":[null]}""")]
    [InlineData("""{"entries":[{"type":"file","size":1,"modified_at":"2026-01-01T00:00:00Z"}]}""")]
    [InlineData("""{"entries":[{"name":"","type":"file","size":1,"modified_at":"2026-01-01T00:00:00Z"}]}""")]
    [InlineData("""{"entries":[{"name":"YQ==","type":"file","size":-1,"modified_at":"2026-01-01T00:00:00Z"}]}""")]
    [InlineData("""{"entries":[{"name":"a","type":"file","size":1,"modified_at":"2026-01-01T00:00:00Z"}]}""")]
    [InlineData("""{"entries":[{"name":"YQ==","type":"file","size":1,"modified_at":"yesterday"}]}""")]
    [InlineData("""{"entries":[{"name":"YQ=="},{"name":"Yg=="},{"name":"Yw=="}]}""")]
    public async Task A_listing_that_is_none_is_the_machines_failure(string? body)
    {
        var refusal = await Assert.ThrowsAsync<CerverException>(() => FilesOf(new(200, Headers, body)).ListAsync(SandboxId, Everything, CancellationToken.None));

        Assert.Equal(CerverError.ProviderUnavailable, refusal.Code);
    }

    [Theory]
    [InlineData("""{"size":4,"modified_at":"2026-01-01T00:00:00Z","version":"b","max_bytes":9,"data":"YQ=="}""")]
    [InlineData("""{"size":-4,"modified_at":"2026-01-01T00:00:00Z","file_id":"a","version":"b","max_bytes":9,"data":"YQ=="}""")]
    [InlineData("""{"size":4,"modified_at":"2026-01-01T00:00:00Z","file_id":"a","version":"b","max_bytes":0,"data":"YQ=="}""")]
    [InlineData("""{"size":4,"modified_at":"2026-01-01T00:00:00Z","file_id":"a","version":"b","max_bytes":9,"data":"YWJjZGU="}""")]
    [InlineData("""{"size":4,"modified_at":"2026-01-01T00:00:00Z","file_id":"a","version":"b\r\nX-Header: 1","max_bytes":9,"data":"YQ=="}""")]
    [InlineData("""{"size":4,"modified_at":"2026-01-01T00:00:00Z","file_id":"a","version":"\"","max_bytes":9,"data":"YQ=="}""")]
    public async Task A_part_that_is_none_is_the_machines_failure(string body)
    {
        var refusal = await Assert.ThrowsAsync<CerverException>(() => FilesOf(new(200, Headers, body)).ReadAsync(SandboxId, Beginning, CancellationToken.None));

        Assert.Equal(CerverError.ProviderUnavailable, refusal.Code);
    }

    [Fact]
    public async Task An_entry_of_a_kind_that_is_not_known_is_listed_as_something_else()
    {
        var listing = await FilesOf(new(200, Headers, """{"entries":[{"name":"/w==","type":"portal","size":0,"modified_at":"2026-01-01T00:00:00Z","later":1}],"next":"/w=="}"""))
            .ListAsync(SandboxId, Everything, CancellationToken.None);

        var entry = Assert.Single(listing.Entries);
        Assert.Equal((SandboxEntryKind.Other, 0L), (entry.Kind, entry.Size));
        Assert.Equal<byte>([0xff], entry.Name);
        Assert.Equal<byte>([0xff], listing.Next);
    }

    [Theory]
    [InlineData("""{"error":"not_found","message":"There is none."}""", CerverError.NotFound, "There is none.", null)]
    [InlineData("""{"error":"conflict","message":"It is a link.","field":"path"}""", CerverError.Conflict, "It is a link.", null)]
    [InlineData("""{"error":"invalid_request","message":"'path' is too long.","field":"path"}""", CerverError.InvalidRequest, "'path' is too long.", "path")]
    [InlineData("""{"error":"payload_too_large","message":"It is too large."}""", CerverError.PayloadTooLarge, "It is too large.", null)]
    [InlineData("""{"error":"rate_limited","message":"There are too many."}""", CerverError.RateLimited, "There are too many.", null)]
    [InlineData("""{"error":"no_compute","message":"It cannot."}""", CerverError.NoCompute, "It cannot.", null)]
    [InlineData("""{"error":"provider_unavailable","message":"The disk is full."}""", CerverError.ProviderUnavailable, "The disk is full.", null)]
    [InlineData("""{"error":"host_unavailable","message":"It begins."}""", CerverError.ProviderUnavailable, "It begins.", null)]
    [InlineData("""{"error":"unauthorized","message":"No."}""", CerverError.ProviderUnavailable, "No.", null)]
    [InlineData("""{"message":7}""", CerverError.ProviderUnavailable, "The machine answered with 418.", null)]
    [InlineData("[]", CerverError.ProviderUnavailable, "The machine answered with 418.", null)]
    [InlineData(null, CerverError.ProviderUnavailable, "The machine answered with 418.", null)]
    public async Task A_refusal_is_the_relays_own_when_its_word_is_one_about_files(string? body, CerverError code, string message, string? field)
    {
        var refusal = await Assert.ThrowsAsync<CerverException>(() => FilesOf(new(418, Headers, body)).ReadAsync(SandboxId, Beginning, CancellationToken.None));

        Assert.Equal((code, message, field), (refusal.Code, refusal.Message, refusal.Field));
    }

    [Fact]
    public async Task A_machine_that_was_deleted_is_away_and_no_file_that_is_not_there()
    {
        var (before, meanwhile) = (FilesOf(answer: null, isRegistered: false), FilesOf(answer: null));

        var (first, second) = (
            await Assert.ThrowsAsync<CerverException>(() => before.ReadAsync(SandboxId, Beginning, CancellationToken.None)),
            await Assert.ThrowsAsync<CerverException>(() => meanwhile.ReadAsync(SandboxId, Beginning, CancellationToken.None)));

        Assert.Equal((CerverError.ComputeOffline, CerverError.ComputeOffline), (first.Code, second.Code));
        Assert.Contains("not registered any more", second.Message, StringComparison.Ordinal);
    }

    private static ImmutableDictionary<string, string> Headers => ImmutableDictionary<string, string>.Empty;

    private static ISandboxFiles FilesOf(MachineAnswer? answer, bool isRegistered = true) =>
        new MachineProvider(new MachineCalls(new AnsweringMachine(answer, isRegistered), "comp_1"), TimeProvider.System).Files;

    /// <summary>A machine that has one answer; without one it is not registered any more when it is asked.</summary>
    private sealed class AnsweringMachine(MachineAnswer? answer, bool isRegistered) : IMachineGrain
    {
        public Task<ComputeInfo?> DescribeAsync(CancellationToken cancellationToken = default) => Task.FromResult(!isRegistered ? null : new ComputeInfo(
            "comp_1", "a machine", MachineKey.Provider, ComputeStatus.Ready, Reason: null, "private", "host", [SandboxRuntime.Shell], Network: true)
        {
            Capabilities = ComputeCapabilities.Unknown with { Features = ComputeFeatures.Files },
        });

        public Task<MachineAnswer> RequestAsync(MachineRequest request, CancellationToken cancellationToken = default) =>
            answer is null ? throw new CerverException(CerverError.NotFound, "There is no machine of this id in the account.") : Task.FromResult(answer);

        public Task<ComputeInfo> RegisterAsync(RegisterMachine request, CancellationToken cancellationToken = default) => throw new NotSupportedException();

        public Task<ComputeInfo> HeartbeatAsync(MachineHeartbeat heartbeat, CancellationToken cancellationToken = default) => throw new NotSupportedException();

        public Task DeleteAsync(CancellationToken cancellationToken = default) => throw new NotSupportedException();

        public Task<bool> ConnectAsync(string channelId, IMachineChannel channel, CancellationToken cancellationToken = default) => throw new NotSupportedException();

        public Task<bool> RenewAsync(string channelId, IMachineChannel channel, CancellationToken cancellationToken = default) => throw new NotSupportedException();

        public Task DisconnectAsync(string channelId, CancellationToken cancellationToken = default) => throw new NotSupportedException();

        public Task AnswerAsync(string channelId, string requestId, MachineAnswer answer, CancellationToken cancellationToken = default) => throw new NotSupportedException();
    }
}
