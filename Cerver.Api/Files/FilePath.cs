using System.Reflection;
using Cerver.Computes;
using Cerver.Errors;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Http.Metadata;

namespace Cerver.Api.Files;

/// <summary>
/// The path of a file, which is the end of the address. It is read from the address as it was sent: what the server makes of it leaves open whether <c>%2F</c>
/// was a slash or three characters of a name, and whatever is not UTF-8 is lost.
/// </summary>
/// <param name="Value">The path.</param>
internal sealed record FilePath(SandboxPath Value) : IEndpointParameterMetadataProvider
{
    /// <summary>The name of the parameter in the routes.</summary>
    public const string Name = "path";

    /// <summary>The names of the route before the path: <c>v2</c>, <c>sessions</c>, the session, <c>files</c>.</summary>
    private const int NamesBefore = 4;

    /// <summary>Binds the parameter of a handler.</summary>
    public static ValueTask<FilePath> BindAsync(HttpContext context) =>
        ValueTask.FromResult(new FilePath(SandboxPath.Parse(Decode(EndOf(context.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget)))));

    public static void PopulateMetadata(ParameterInfo parameter, EndpointBuilder builder) => builder.Metadata.Add(new FilePathMetadata());

    private static ReadOnlySpan<char> EndOf(ReadOnlySpan<char> target)
    {
        target = target.IndexOf('?') is var query and >= 0 ? target[..query] : target;

        // An address may be sent whole, with its scheme and host.
        target = target.IndexOf("://", StringComparison.Ordinal) is var scheme and > 0 && target[0] != '/' ? target[(scheme + 3)..] : target;
        for (var names = 0; names <= NamesBefore; names++)
        {
            target = target.IndexOf('/') is var slash and >= 0 ? target[(slash + 1)..] : [];
        }

        return target;
    }

    private static byte[] Decode(ReadOnlySpan<char> text)
    {
        var bytes = new List<byte>(text.Length);
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] != '%')
            {
                bytes.Add(char.IsAscii(text[i]) ? (byte)text[i] : throw Refuse());
            }
            else
            {
                bytes.Add(i + 2 < text.Length && char.IsAsciiHexDigit(text[i + 1]) && char.IsAsciiHexDigit(text[i + 2]) ? Convert.FromHexString(text.Slice(i + 1, 2))[0] : throw Refuse());
                i += 2;
            }
        }

        return [.. bytes];
    }

    private static CerverException Refuse() => new(
        CerverError.InvalidRequest, $"'{Name}' must be percent-encoded UTF-8, or whatever the bytes of the name are; a '%' itself is '%25'.", Name);
}

/// <summary>Says that a route ends with the path of a file.</summary>
internal sealed record FilePathMetadata;
