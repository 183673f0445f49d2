using System.Security.Cryptography;

namespace Cerver.Silo.Standalone;

/// <summary>The token of the account <c>default</c>.</summary>
internal static class ApiToken
{
    private const int RandomBytes = 32;
    private const int MinCharacters = 16;

    /// <summary>The token that <c>CERVER_API_TOKEN</c> gives, else the one in the data directory, which is made at the first start.</summary>
    /// <exception cref="GatewayStartException">The token that was given is too easy to guess.</exception>
    public static string Load(IConfiguration configuration, DataDirectory data)
    {
        if (configuration["CERVER_API_TOKEN"] is { Length: > 0 } given)
        {
            return given.Length >= MinCharacters && given.All(character => character is > ' ' and <= '~')
                ? given
                : throw new GatewayStartException($"The token in CERVER_API_TOKEN must have at least {MinCharacters} printable ASCII characters without spaces.");
        }

        if (File.Exists(data.TokenPath))
        {
            return File.ReadAllText(data.TokenPath).Trim();
        }

        var made = $"ck_{Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(RandomBytes))}";

        // Written beside and then moved, so that a stop in between does not leave half a token.
        var draft = $"{data.TokenPath}.new";
        File.Delete(draft);
        using (var file = new FileStream(draft, new FileStreamOptions
        {
            Mode = FileMode.CreateNew,
            Access = FileAccess.Write,
            UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
        }))
        using (var writer = new StreamWriter(file))
        {
            writer.WriteLine(made);
        }

        File.Move(draft, data.TokenPath);
        return made;
    }
}
