namespace Cerver.Grains.Search;

/// <summary>A word of a text as it is compared.</summary>
/// <param name="Text">Folded, see <see cref="LetterFolding"/>; at most 64 characters.</param>
/// <param name="Start">Where it begins in the text, in characters.</param>
/// <param name="Length">How many characters of the text it is.</param>
/// <param name="Position">Its number among the words of the text, from 1 on.</param>
/// <param name="IsWhole">Whether it is an identifier of several parts, written together; the parts are words before it, and it has the position of the first.</param>
internal readonly record struct Word(string Text, int Start, int Length, int Position, bool IsWhole);
