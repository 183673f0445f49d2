using Cerver.Sessions;

namespace Cerver.Tests.Search.Quality;

/// <summary>A question to the search, and what answers it.</summary>
/// <param name="Kind">What it is an example of.</param>
/// <param name="Text">What somebody types.</param>
/// <param name="Answers">The keys of the entries that answer it, separated by spaces.</param>
internal sealed record SearchQuestion(string Kind, string Text, string Answers)
{
    /// <summary>Questions of agents, which are answered too by what stands beside the answer.</summary>
    public const string Natural = "natural";

    /// <summary>Only what was said in this role.</summary>
    public EntryRole? Role { get; init; }

    /// <summary>Only entries of this kind.</summary>
    public string? EntryKind { get; init; }

    /// <summary>Only from the beginning of this day on, counted as in <see cref="Scenes"/>.</summary>
    public int? Since { get; init; }

    /// <summary>Only before the beginning of this day.</summary>
    public int? Until { get; init; }

    /// <summary>Only sessions of this source.</summary>
    public string? Source { get; init; }

    /// <summary>Only sessions of this harness.</summary>
    public string? Harness { get; init; }

    /// <summary>Whether only the session of the answer is searched.</summary>
    public bool IsInSession { get; init; }
}
