using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Cerver.Errors;
using Cerver.Sessions;

namespace Cerver.Api.Sessions.Importing;

/// <summary>What is known so far of a session that is read from a file.</summary>
/// <param name="maxEntries">How many entries it may have.</param>
internal sealed class ImportedTranscript(int maxEntries)
{
    private const int MaxNoteCharacters = 1_000;

    private static readonly JsonSerializerOptions Plain = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private readonly List<TranscriptEntry> _entries = [];
    private readonly JsonObject _notes = [];
    private DateTimeOffset? _clock;

    /// <summary>The entries, in the order of the file.</summary>
    public IReadOnlyList<TranscriptEntry> Entries => _entries;

    /// <summary>The agent program that wrote it, or null.</summary>
    public string? Harness { get; set; }

    /// <summary>What the file calls the session, or null.</summary>
    public string? Title { get; set; }

    /// <summary>What the user said first, or null; what a session is called that has no title.</summary>
    public string? FirstWords { get; private set; }

    /// <summary>What it is about, or null.</summary>
    public string? Task { get; set; }

    /// <summary>A word for the kind of work, or null.</summary>
    public string? Workload { get; set; }

    /// <summary>What it asked of its compute, a JSON object, or null.</summary>
    public string? Requirements { get; set; }

    /// <summary>Notes that its callers had made on it, or null.</summary>
    public JsonObject? Metadata { get; set; }

    /// <summary>Whether it is closed for good.</summary>
    public bool IsEnded { get; set; }

    /// <summary>Why, or null.</summary>
    public string? EndReason { get; set; }

    /// <summary>When it began, when that is known beside the entries.</summary>
    public DateTimeOffset? CreatedAt { get; set; }

    /// <summary>When something last happened in it, when that is known beside the entries.</summary>
    public DateTimeOffset? UpdatedAt { get; set; }

    /// <summary>Notes a word on where the session comes from, unless one is noted already. One that is too long is left out: cut, it could end in the beginning of a secret.</summary>
    public void Note(string name, string? value)
    {
        if (value is { Length: > 0 and <= MaxNoteCharacters } && !_notes.ContainsKey(name))
        {
            _notes[name] = value;
        }
    }

    /// <summary>Says what time it is in the file now. What comes after has this time if it has none.</summary>
    public void Tell(DateTimeOffset? at) => _clock = at ?? _clock;

    /// <summary>Adds an entry. What says nothing is left out, but for calls of tools and their results.</summary>
    /// <exception cref="CerverException"><see cref="CerverError.PayloadTooLarge"/> when there are too many.</exception>
    public void Add(TranscriptEntry entry)
    {
        if (!string.IsNullOrEmpty(entry.Content) || entry.ToolId is not null || entry.ToolName is not null)
        {
            AddAsItIs(entry);
        }
    }

    /// <summary>Adds an entry, also one that says nothing.</summary>
    /// <exception cref="CerverException"><see cref="CerverError.PayloadTooLarge"/> when there are too many.</exception>
    public void AddAsItIs(TranscriptEntry entry)
    {
        if (_entries.Count == maxEntries)
        {
            throw new CerverException(
                CerverError.PayloadTooLarge, $"The file has more than {maxEntries} entries, which is the most that one session is imported with. Split it.");
        }

        Tell(entry.At);
        _entries.Add(entry with { At = _clock });
    }

    /// <summary>Takes note of what a person said, of which the first is what the session is called if it has no title.</summary>
    public void AddWords(TranscriptEntry entry)
    {
        if (!string.IsNullOrWhiteSpace(entry.Content))
        {
            FirstWords ??= entry.Content;
        }

        Add(entry);
    }

    /// <summary>Changes every entry.</summary>
    public void Change(Func<TranscriptEntry, TranscriptEntry> change)
    {
        for (var index = 0; index < _entries.Count; index++)
        {
            _entries[index] = change(_entries[index]);
        }
    }

    /// <summary>Gives entries before the first time in the file that time.</summary>
    public void Complete()
    {
        var first = _entries.Find(static entry => entry.At is not null)?.At;
        for (var index = 0; index < _entries.Count && _entries[index].At is null; index++)
        {
            _entries[index] = _entries[index] with { At = first };
        }

        CreatedAt ??= _entries.Count == 0 ? _clock : _entries.Min(static entry => entry.At);
        UpdatedAt ??= _entries.Count == 0 ? _clock : _entries.Max(static entry => entry.At);
    }

    /// <summary>The metadata of the session: what its callers had noted, unless that is too much, and where it comes from.</summary>
    /// <param name="format">The word for the format of the file.</param>
    /// <param name="maxBytes">How much there may be.</param>
    public string MetadataFor(string format, int maxBytes)
    {
        var origin = new JsonObject { ["source"] = "import", ["imported_from"] = format };
        foreach (var (name, value) in _notes)
        {
            origin[name] = value?.DeepClone();
        }

        if (Metadata is null)
        {
            return Write(origin);
        }

        var all = Metadata.DeepClone().AsObject();
        if (Metadata["source"] is { } source)
        {
            all["original_source"] = source.DeepClone();
        }

        foreach (var (name, value) in origin)
        {
            all[name] = value?.DeepClone();
        }

        var text = Write(all);
        return Encoding.UTF8.GetByteCount(text) > maxBytes ? Write(origin) : text;
    }

    private static string Write(JsonObject value) => value.ToJsonString(Plain);
}
