namespace Cerver.Bench.Load;

/// <summary>The transcript entry that is written, everywhere the same.</summary>
internal static class Entries
{
    /// <summary>What it says.</summary>
    public const string Content = "The tide is out until four; we have three hours to walk to the island and back.";

    /// <summary>The body that appends it so many times, at most 1,000.</summary>
    public static string Body(int count) =>
        $$"""{"entries":[{{string.Join(',', Enumerable.Repeat($$"""{"role":"user","content":"{{Content}}"}""", count))}}]}""";
}
