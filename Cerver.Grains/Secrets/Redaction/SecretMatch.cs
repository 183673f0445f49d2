using System.Text;

namespace Cerver.Grains.Secrets.Redaction;

/// <summary>A place where a value stands.</summary>
/// <param name="Start">Its first byte.</param>
/// <param name="End">The byte after its last.</param>
/// <param name="Mark">What is to stand there.</param>
internal readonly record struct SecretMatch(int Start, int End, SecretMark Mark);

/// <summary>What stands in the place of a value.</summary>
/// <param name="Text">The mark.</param>
/// <param name="Bytes">The same in UTF-8.</param>
internal sealed record SecretMark(string Text, byte[] Bytes)
{
    /// <summary>The mark of the values of one secret.</summary>
    public static SecretMark Of(string name) => new($"[secret:{name}]", Encoding.UTF8.GetBytes($"[secret:{name}]"));
}
