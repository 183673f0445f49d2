using Cerver.Api.Pages;
using Microsoft.AspNetCore.Http;

namespace Cerver.Tests.Pages;

/// <summary>Whatever a request claims of where it was sent, a page has an address in it and nothing else.</summary>
public sealed class PageAddressTests
{
    [Theory]
    [InlineData("http", "127.0.0.1:8080", "http://127.0.0.1:8080")]
    [InlineData("https", "cerver.example", "https://cerver.example")]
    [InlineData("HTTPS", "Cerver.Example:443", "https://cerver.example:443")]
    [InlineData("http", "my_gateway-1", "http://my_gateway-1")]
    [InlineData("http", "[::1]:8080", "http://[::1]:8080")]
    [InlineData("http", "", PageAddress.Default)]
    [InlineData("ftp", "cerver.example", PageAddress.Default)]
    [InlineData("http", "x)[click](http", PageAddress.Default)]
    [InlineData("http", "`rm -rf`", PageAddress.Default)]
    [InlineData("http", "$(id)", PageAddress.Default)]
    [InlineData("http", "a;b", PageAddress.Default)]
    [InlineData("http", "a&b", PageAddress.Default)]
    [InlineData("http", "a/b", PageAddress.Default)]
    [InlineData("http", "user@host", PageAddress.Default)]
    [InlineData("http", "a\nb", PageAddress.Default)]
    [InlineData("http", "a\n", PageAddress.Default)]
    [InlineData("http", "<b>", PageAddress.Default)]
    [InlineData("http", "-a", PageAddress.Default)]
    [InlineData("http", "*", PageAddress.Default)]
    [InlineData("http", "a:99999999", PageAddress.Default)]
    [InlineData("http", "ä.example", PageAddress.Default)]
    public void Only_what_is_plainly_a_host_is_taken_over(string scheme, string host, string address)
    {
        var request = new DefaultHttpContext().Request;
        request.Scheme = scheme;
        request.Headers.Host = host;

        Assert.Equal(address, PageAddress.Of(request, trustsProxy: false));

        // Nor from a proxy.
        request.Scheme = "http";
        request.Headers.Host = "inside.example";
        request.Headers["X-Forwarded-Proto"] = scheme;
        request.Headers["X-Forwarded-Host"] = host;
        Assert.Equal("http://inside.example", PageAddress.Of(request, trustsProxy: false));
        Assert.Equal(host.Length == 0 ? "http://inside.example" : address, PageAddress.Of(request, trustsProxy: true));
    }

    [Fact]
    public void A_host_is_not_longer_than_a_host_can_be()
    {
        var request = new DefaultHttpContext().Request;
        request.Scheme = "http";
        request.Headers.Host = new string('a', 254);

        Assert.Equal(PageAddress.Default, PageAddress.Of(request, trustsProxy: false));
    }
}
