using Cerver.Errors;

namespace Cerver.Api.Secrets;

/// <summary>The names of secrets in a body.</summary>
internal static class SecretNames
{
    /// <summary>The names, none when there is no list. What a name can be the session knows.</summary>
    /// <exception cref="CerverException"><see cref="CerverError.InvalidRequest"/> for a null among them.</exception>
    public static ImmutableArray<string> Read(string?[]? names) =>
        [.. (names ?? []).Select(static name => name ?? throw new CerverException(CerverError.InvalidRequest, "'secrets' must have names of secrets.", "secrets"))];
}
