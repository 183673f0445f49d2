using System.Buffers;
using System.Text;
using Cerver.Api.Computes;
using Cerver.Api.Errors;
using Cerver.Api.Requests;
using Cerver.Api.Secrets;
using Cerver.Api.Sessions;
using Cerver.Computes;
using Cerver.Errors;
using Cerver.Secrets;
using Cerver.Sessions;

namespace Cerver.Tests.Api;

/// <summary>The words that come in and what they mean.</summary>
public sealed class WordTests
{
    public static TheoryData<CerverError> Errors => [.. Enum.GetValues<CerverError>()];

    [Theory]
    [InlineData("idle", SessionStatus.Idle)]
    [InlineData("ready", SessionStatus.Idle)]
    [InlineData("resting", SessionStatus.Idle)]
    [InlineData("paused", SessionStatus.Idle)]
    [InlineData("prepared", SessionStatus.Idle)]
    [InlineData("running", SessionStatus.Running)]
    [InlineData("provisioning", SessionStatus.Running)]
    [InlineData("starting", SessionStatus.Running)]
    [InlineData("ended", SessionStatus.Ended)]
    [InlineData("completed", SessionStatus.Ended)]
    [InlineData("terminated", SessionStatus.Ended)]
    [InlineData("archived", SessionStatus.Ended)]
    [InlineData("closed", SessionStatus.Ended)]
    [InlineData("failed", SessionStatus.Ended)]
    public void A_status_has_synonyms(string word, SessionStatus status)
    {
        Assert.Equal(status, StatusWords.Parse(word, "status"));
    }

    [Theory]
    [InlineData(SessionStatus.Idle)]
    [InlineData(SessionStatus.Running)]
    [InlineData(SessionStatus.Ended)]
    public void A_status_is_read_as_it_is_written(SessionStatus status)
    {
        Assert.Equal(status, StatusWords.Parse(StatusWords.Of(status), "status"));
    }

    [Theory]
    [MemberData(nameof(Errors))]
    public void Every_refusal_of_a_grain_has_a_status_and_a_word(CerverError error)
    {
        var (status, code) = Refusals.Describe(error);

        Assert.InRange(status, 400, 503);
        Assert.Matches("^[a-z_]+$", code);
    }

    [Fact]
    public void A_refusal_that_this_version_does_not_know_stays_inside()
    {
        var refusal = Refusals.Of(new CerverException((CerverError)999, "secret"), "trace");

        Assert.Equal((500, "internal", "trace"), (refusal.Status, refusal.Body.Code, refusal.Body.TraceId));
    }

    [Theory]
    [InlineData("{}", ComputeChoiceKind.Any, null)]
    [InlineData("""{"compute":null}""", ComputeChoiceKind.None, null)]
    [InlineData("""{"compute":"none"}""", ComputeChoiceKind.None, null)]
    [InlineData("""{"compute":"local"}""", ComputeChoiceKind.Provider, "local")]
    [InlineData("""{"compute":"e2b"}""", ComputeChoiceKind.Provider, "e2b")]
    [InlineData("""{"compute":"vercel"}""", ComputeChoiceKind.Provider, "vercel")]
    [InlineData("""{"compute":"cloudflare"}""", ComputeChoiceKind.Provider, "cloudflare")]
    [InlineData("""{"compute":"provider_local"}""", ComputeChoiceKind.Compute, "provider_local")]
    [InlineData("""{"compute":"comp_0123456789abcdef"}""", ComputeChoiceKind.Compute, "comp_0123456789abcdef")]
    [InlineData("""{"compute":{"compute_id":"comp_1"}}""", ComputeChoiceKind.Compute, "comp_1")]
    [InlineData("""{"compute":{"provider":"local"}}""", ComputeChoiceKind.Provider, "local")]
    [InlineData("""{"compute":{"provider":"local","compute_id":"comp_1"}}""", ComputeChoiceKind.Compute, "comp_1")]
    [InlineData("""{"compute":{"provider":"local","compute_id":null,"region":{"a":[1]}}}""", ComputeChoiceKind.Provider, "local")]
    [InlineData("""{"target_compute_id":"comp_1"}""", ComputeChoiceKind.Compute, "comp_1")]
    [InlineData("""{"compute":"local","target_compute_id":"comp_1"}""", ComputeChoiceKind.Provider, "local")]
    [InlineData("""{"policy":{"mode":"fast","pinned_provider":"e2b"}}""", ComputeChoiceKind.Provider, "e2b")]
    [InlineData("""{"session_type":"transcript","compute":"local"}""", ComputeChoiceKind.None, null)]
    [InlineData("""{"session_type":"chat"}""", ComputeChoiceKind.None, null)]
    [InlineData("""{"session_type":"something new"}""", ComputeChoiceKind.Any, null)]
    public void Compute_can_be_named_in_many_ways(string body, ComputeChoiceKind kind, string? name)
    {
        Assert.Equal(new ComputeChoice(kind, name), CreateSessionReader.Read(Parse<CreateSessionBody>(body)).Compute);
    }

    [Theory]
    [InlineData("{}", null)]
    [InlineData("""{"harness":null}""", null)]
    [InlineData("""{"harness":"claude"}""", "claude")]
    [InlineData("""{"harness":"something-new"}""", "something-new")]
    [InlineData("""{"harness":{"type":"codex","options":{"a":[]}}}""", "codex")]
    public void A_harness_is_a_word_or_an_object(string body, string? harness)
    {
        Assert.Equal(harness, CreateSessionReader.Read(Parse<CreateSessionBody>(body)).Harness);
    }

    [Fact]
    public void Providers_to_choose_from_are_handed_on()
    {
        Assert.Equal(["local", "e2b"], CreateSessionReader.Read(Parse<CreateSessionBody>("""{"policy":{"allowed_providers":["local","e2b"]}}""")).AllowedProviders, StringComparer.Ordinal);
    }

    [Fact]
    public void Objects_are_kept_as_they_are_in_their_shortest_text()
    {
        const string Metadata = """{"b":[1, 2.50, 1e10, true, null, "h\u00e9\n\u2028"],  "a" : {"":{}}}""";

        Assert.Equal(
            "{\"b\":[1,2.50,1e10,true,null,\"hé\\n\\u2028\"],\"a\":{\"\":{}}}",
            CreateSessionReader.Read(Parse<CreateSessionBody>($$"""{"metadata":{{Metadata}}}""")).Metadata);
    }

    [Fact]
    public void An_entry_is_read_in_every_part()
    {
        var entries = EntryReader.Read(Parse<AppendBody>("""
            {"entries":[
              {"role":"assistant","kind":"tool_use","content":null,"tool_id":"t","tool_name":"run","tool_input":{"a":1},"is_error":false,"at":"2026-05-01T14:00:00.123456+02:00","extra":[{}]},
              {"role":"system","kind":"something_new","content":"x"},
              {"role":"user","content":"hi"}]}
            """)).Entries;

        Assert.Equal(
            [
                new TranscriptEntry(Examples.Noon.AddMicroseconds(123_456), EntryRole.Assistant, "tool_use", Content: null, "t", "run", """{"a":1}""", IsError: false),
                new TranscriptEntry(At: null, EntryRole.System, "something_new", "x"),
                new TranscriptEntry(At: null, EntryRole.User, "text", "hi"),
            ],
            entries.AsEnumerable());
    }

    [Fact]
    public void A_place_in_a_list_is_read_as_it_was_written()
    {
        var cursor = new SessionCursor(Examples.Noon.AddMicroseconds(7), Examples.Session.SessionId);

        Assert.Equal(cursor, SessionCursorText.Parse(SessionCursorText.Write(cursor), "cursor"));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(long.MaxValue)]
    public void A_place_in_the_audit_is_read_as_it_was_written(long number)
    {
        var cursor = new SecretAccessCursor(Examples.Noon.AddMicroseconds(7), number);

        Assert.Equal(cursor, SecretAccessCursorText.Parse(SecretAccessCursorText.Write(cursor), "cursor"));
    }

    [Theory]
    [InlineData("")]
    [InlineData("41")]
    [InlineData("AAAAAAAAAAAAAAAAAAAAAAE")]
    [InlineData("AQAAAAAAAAAAAAAAAAAAAAA")]
    [InlineData("AQAAAAAAAAAA__________8")]
    [InlineData("Af________wAAAAAAAAAAAQ")]
    [InlineData("AX________8AAAAAAAAAAQA")]
    [InlineData("AQAAAAAAAAAAAAAAAAAAA==")]
    [InlineData("ÄQAAAAAAAAAAAAAAAAAAAAE")]
    public void A_place_in_the_audit_that_we_did_not_write_is_refused(string text)
    {
        var refusal = Assert.Throws<CerverException>(() => SecretAccessCursorText.Parse(text, "cursor"));

        Assert.Equal((CerverError.InvalidRequest, "cursor"), (refusal.Code, refusal.Field));
    }

    [Theory]
    [InlineData("")]
    [InlineData("nonsense")]
    [InlineData("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")]
    [InlineData("Af_______________________________w")]
    [InlineData("AX_______________________________w")]
    [InlineData("AQ==AAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")]
    [InlineData("ÄÖÜAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")]
    public void A_place_that_we_did_not_write_is_refused(string text)
    {
        var refusal = Assert.Throws<CerverException>(() => SessionCursorText.Parse(text, "cursor"));

        Assert.Equal((CerverError.InvalidRequest, "cursor"), (refusal.Code, refusal.Field));
    }

    private static T Parse<T>(string json)
        where T : class =>
        RequestBody.Parse(
            new ReadOnlySequence<byte>(Encoding.UTF8.GetBytes(json)),
            (System.Text.Json.Serialization.Metadata.JsonTypeInfo<T>)RequestJson.Default.GetTypeInfo(typeof(T))!)!;
}
