namespace Cerver.Bench.Load;

/// <summary>The transcript entry that is written, the same wherever its size is not what matters.</summary>
internal static class Entries
{
    /// <summary>What it says.</summary>
    public const string Content = "The tide is out until four; we have three hours to walk to the island and back.";

    /// <summary>An entry of 1 KiB.</summary>
    public static readonly string Kibibyte = string.Concat(Enumerable.Repeat(Content, (1_024 / Content.Length) + 1))[..1_024];

    /// <summary>The body that appends it so many times, at most 1,000.</summary>
    /// <param name="count">How often.</param>
    /// <param name="content">What it says, without anything that JSON escapes.</param>
    public static string Body(int count, string content = Content) =>
        $$"""{"entries":[{{string.Join(',', Enumerable.Repeat($$"""{"role":"user","content":"{{content}}"}""", count))}}]}""";
}
