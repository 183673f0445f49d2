namespace Cerver.Api.Sessions.Importing;

/// <summary>A file that was read to its end.</summary>
/// <param name="Format">The word for its format.</param>
/// <param name="Transcript">What it holds.</param>
/// <param name="ContentHash">A digest of its lines, which is what makes a file the same as another one.</param>
/// <param name="Skipped">What could not be read.</param>
internal sealed record ImportedFile(string Format, ImportedTranscript Transcript, ImmutableArray<byte> ContentHash, SkippedLines Skipped);
