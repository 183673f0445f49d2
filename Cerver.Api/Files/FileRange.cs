using System.Runtime.InteropServices;
using Cerver.Computes;
using Microsoft.Net.Http.Headers;

namespace Cerver.Api.Files;

/// <summary>Which bytes of a file an answer has.</summary>
/// <param name="First">The first.</param>
/// <param name="Length">How many.</param>
[StructLayout(LayoutKind.Auto)]
internal readonly record struct FileRange(long First, long Length)
{
    /// <summary>What a request asks for with <c>Range</c>, or null when it asks for the whole file, which is also what several ranges at once are answered with.</summary>
    /// <param name="request">The request.</param>
    /// <param name="file">The file as it is.</param>
    /// <returns>A range without bytes when the file has none there.</returns>
    public static FileRange? Of(HttpRequest request, FilePart file)
    {
        if (!RangeHeaderValue.TryParse(request.Headers.Range.ToString(), out var header) || header is not { Ranges.Count: 1 } || header.Unit != "bytes" || !IsOf(request, file))
        {
            return null;
        }

        var range = header.Ranges.First();
        var (first, end) = range switch
        {
            { From: { } from, To: { } to } => (from, Math.Min(to, file.Size - 1) + 1),
            { From: { } from } => (from, file.Size),
            _ => (Math.Max(file.Size - range.To ?? 0, 0), file.Size),
        };
        return new(first, Math.Max(end - first, 0));
    }

    /// <summary>Whether the caller's part of a file, which the range is to complete, is of the file as it is now.</summary>
    private static bool IsOf(HttpRequest request, FilePart file) => request.Headers.IfRange.Count == 0 || request.Headers.IfRange.ToString() == FileDownload.TagOf(file);
}
