using System.Security.Cryptography;

namespace Cerver.Silo.Standalone;

/// <summary>The token of the account <c>default</c>.</summary>
internal static class ApiToken
{
    private const int RandomBytes = 32;

    /// <summary>The token in the data directory, which is made at the first start.</summary>
    public static string Load(DataDirectory data)
    {
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
