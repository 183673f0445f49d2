using System.Diagnostics;
using System.Text.Json;

namespace Cerver.Api.Sessions.Importing;

/// <summary>Turns the lines of a file, one after the other, into a transcript. Pure: no clock, no I/O.</summary>
/// <param name="transcript">What becomes of the file.</param>
internal abstract class ImportParser(ImportedTranscript transcript)
{
    /// <summary>The word for the session files of Claude Code.</summary>
    public const string ClaudeCode = "claude-code";

    /// <summary>The word for the session files of Codex.</summary>
    public const string Codex = "codex";

    /// <summary>The word for exports of this gateway.</summary>
    public const string Cerver = "cerver";

    /// <summary>The words for the formats.</summary>
    public static ImmutableArray<string> Words { get; } = [ClaudeCode, Codex, Cerver];

    /// <summary>The word for the format.</summary>
    public abstract string Format { get; }

    /// <summary>What becomes of the file.</summary>
    protected ImportedTranscript Transcript => transcript;

    /// <summary>The parser of a word of <see cref="Words"/>.</summary>
    public static ImportParser Of(string word, ImportedTranscript transcript) => word switch
    {
        ClaudeCode => new ClaudeCodeParser(transcript),
        Codex => new CodexParser(transcript),
        Cerver => new CerverParser(transcript),
        _ => throw new UnreachableException($"No parser for {word}."),
    };

    /// <summary>The word for the format of a file that has this line, or null when no format has.</summary>
    public static string? Recognize(JsonElement line) =>
        CerverParser.Recognizes(line) ? Cerver : CodexParser.Recognizes(line) ? Codex : ClaudeCodeParser.Recognizes(line) ? ClaudeCode : null;

    /// <summary>Reads a line. Lines of types that say nothing to a transcript, and of types that are not known, have nothing to be read.</summary>
    /// <returns>Whether it is as the format wants it.</returns>
    public abstract bool Read(JsonElement line);

    /// <summary>Completes what can be known only now that every line was read.</summary>
    public virtual void Complete() => transcript.Complete();
}
