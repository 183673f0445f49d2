using System.Collections.Immutable;
using Cerver.Sessions;

namespace Cerver.Tests.Search.Quality;

/// <summary>A session of the world that questions are asked about.</summary>
/// <param name="Name">Its name, or null.</param>
/// <param name="Harness">The harness.</param>
/// <param name="Source">What its metadata says of where it comes from.</param>
/// <param name="Entries">What is said in it.</param>
/// <param name="Planted">The indexes of what questions are about, by key.</param>
internal sealed record WorldSession(
    string? Name, string Harness, string Source, ImmutableArray<TranscriptEntry> Entries, ImmutableDictionary<string, int> Planted);
