using System.Text.Json;
using Cerver.Grains.Secrets.Redaction;

namespace Cerver.Tests.Secrets.Redaction;

public sealed class JsonRedactorTests
{
    [Theory]
    [InlineData("abcdefgh", """{"a":"-abcdefgh-","abcdefgh":[1.50,null]}""", """{"a":"-[secret:S0]-","[secret:S0]":[1.50,null]}""")]
    [InlineData("12345678", """{"pin":12345678,"text":"12345678"}""", """{"pin":"[secret:S0]","text":"[secret:S0]"}""")]
    [InlineData("12345678", """{"n":[0.123456789e1,"-",true]}""", """{"n":["0.[secret:S0]9e1","-",true]}""")]
    [InlineData("name-secret", """{"p":"a\name-secret","q":"name-secret"}""", """{"p":"a\name-secret","q":"[secret:S0]"}""")]
    [InlineData("41123456", """{"p":"a\u00411234567"}""", """{"p":"a\u00411234567"}""")]
    [InlineData("abcdefg\\", """{"p":"abcdefg\"x","q":"abcdefg\\"}""", """{"p":"abcdefg\"x","q":"[secret:S0]"}""")]
    [InlineData("name-secret", """{"p":"a\name-secret name-secret \ud800","q":"\\name-secret"}""", """{"p":"[secret:S0]","q":"\\[secret:S0]"}""")]
    [InlineData("""{"type":"service","key":"xyzxyz"}""", """{"p":{"type":"service","key":"xyzxyz"},"q":1}""", """{"p":"[secret:S0]","q":1}""")]
    [InlineData("""{"type":"service","key":"xyzxyz"}""", """{"type":"service","key":"xyzxyz"}""", """{"redacted":"[secret:S0]"}""")]
    [InlineData("""x":[1,2],"y""", """{"p":{"x":[1,2],"y":3},"12345678":"\ud800"}""", """{"p":{"[secret:S0]":3},"12345678":"\ud800"}""")]
    [InlineData("[1234, 5678]", """{ "\ud800" : [1234, 5678] }""", """{ "\ud800" : "[secret:S0]" }""")]
    [InlineData("4321], [1234", """{"a":[[4321], [1234], [99999999]], "b":[4321, 1234]}""", """{"a":"[secret:S0]", "b":[4321, 1234]}""")]
    public void An_object_stays_one_whatever_a_value_is(string value, string json, string expected)
    {
        var redacted = JsonRedactor.Redact(RandomSecrets.Matcher(value), json)!;

        Assert.Equal(expected, redacted);
        using var document = JsonDocument.Parse(redacted);
        Assert.Equal(JsonValueKind.Object, document.RootElement.ValueKind);
    }

    [Fact]
    public void What_has_no_value_is_given_back_as_it_is()
    {
        const string Json = """{ "a" : "\u0061", "n" : 1.50 }""";

        Assert.Same(Json, JsonRedactor.Redact(RandomSecrets.Matcher("abcdefgh"), Json));
        Assert.Null(JsonRedactor.Redact(RandomSecrets.Matcher("abcdefgh"), json: null));
    }
}
