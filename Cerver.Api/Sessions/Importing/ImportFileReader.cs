using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Cerver.Api.Answers;
using Cerver.Errors;

namespace Cerver.Api.Sessions.Importing;

/// <summary>
/// Reads a file of JSON lines in whatever pieces it comes. What it is identified by are its lines without the white space around them, so how they are ended, and
/// whether the last one is, makes no other file of it.
/// </summary>
/// <param name="format">The word for its format, or null to find out.</param>
/// <param name="maxEntries">How many entries it may have.</param>
internal sealed class ImportFileReader(string? format, int maxEntries) : IDisposable
{
    /// <summary>The longest line that is read. Longer ones are skipped.</summary>
    public const int MaxLineBytes = 8 * 1_024 * 1_024;

    private const int MaxNamedLines = 10;

    private readonly PooledBuffer _line = new();
    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private readonly ImportedTranscript _transcript = new(maxEntries);
    private readonly List<int> _skipped = [];
    private ImportParser? _parser;
    private int _number;
    private int _read;
    private int _skippedCount;
    private bool _isTooLong;

    /// <summary>Takes the next piece.</summary>
    /// <exception cref="CerverException"><see cref="CerverError.PayloadTooLarge"/> when there are too many entries.</exception>
    public void Take(ReadOnlySpan<byte> piece)
    {
        for (var end = piece.IndexOf((byte)'\n'); end >= 0; end = piece.IndexOf((byte)'\n'))
        {
            AddToLine(piece[..end]);
            EndLine();
            piece = piece[(end + 1)..];
        }

        AddToLine(piece);
    }

    /// <summary>What was read, when the last piece is taken.</summary>
    /// <exception cref="CerverException"><see cref="CerverError.InvalidRequest"/> when nothing could be read.</exception>
    public ImportedFile Complete()
    {
        EndLine();
        if (_parser is null || _read == 0)
        {
            throw new CerverException(
                CerverError.InvalidRequest,
                "Nothing in this file could be read. Send a session file of Claude Code (~/.claude/projects) or Codex (~/.codex/sessions), or an export of a session "
                + "(format=jsonl), as it is: one JSON object a line.");
        }

        _parser.Complete();
        return new(
            _parser.Format, _transcript, ImmutableCollectionsMarshal.AsImmutableArray(_hash.GetHashAndReset()), new() { Count = _skippedCount, Lines = [.. _skipped] });
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _line.Dispose();
        _hash.Dispose();
    }

    private void AddToLine(ReadOnlySpan<byte> piece)
    {
        if (!_isTooLong && _line.Length + piece.Length > MaxLineBytes)
        {
            _isTooLong = true;
            _hash.AppendData(_line.Written.Span);
            _line.Clear();
        }

        if (_isTooLong)
        {
            _hash.AppendData(piece);
        }
        else if (!piece.IsEmpty)
        {
            piece.CopyTo(_line.GetSpan(piece.Length));
            _line.Advance(piece.Length);
        }
    }

    private void EndLine()
    {
        _number++;
        var line = _number == 1 && _line.Written.Span.StartsWith("\uFEFF"u8) ? _line.Written[3..] : _line.Written;
        line = line[line.Span.IndexOfAnyExcept(" \t\r"u8) is var start and >= 0 ? start.. : line.Length..];
        line = line[..(line.Span.LastIndexOfAnyExcept(" \t\r"u8) + 1)];
        if (_isTooLong || !line.IsEmpty)
        {
            _hash.AppendData(line.Span);
            _hash.AppendData("\n"u8);
            if (!_isTooLong && Read(line))
            {
                _read++;
            }
            else
            {
                Skip();
            }
        }

        _isTooLong = false;
        _line.Clear();
    }

    private bool Read(ReadOnlyMemory<byte> line)
    {
        using var document = ImportJson.Parse(line);
        if (document is null)
        {
            return false;
        }

        if (_parser is null && (format ?? ImportParser.Recognize(document.RootElement)) is { } word)
        {
            _parser = ImportParser.Of(word, _transcript);
        }

        return _parser?.Read(document.RootElement) == true;
    }

    private void Skip()
    {
        _skippedCount++;
        if (_skipped.Count < MaxNamedLines)
        {
            _skipped.Add(_number);
        }
    }
}
