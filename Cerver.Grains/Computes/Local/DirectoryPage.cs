using Cerver.Computes;
using Cerver.Errors;
using Microsoft.Win32.SafeHandles;

namespace Cerver.Grains.Computes.Local;

/// <summary>
/// Reads a page of a directory. The file system gives names in no order, so all are looked at for each page, and as many are kept as the page has.
/// </summary>
internal static class DirectoryPage
{
    /// <summary>Beyond, looking at all names takes too long.</summary>
    private const int MaxNames = 1_000_000;

    private static readonly Comparer<byte[]> LastFirst = Comparer<byte[]>.Create(static (one, other) => other.AsSpan().SequenceCompareTo(one));

    /// <summary>The first entries after a name.</summary>
    /// <exception cref="CerverException"><see cref="CerverError.PayloadTooLarge"/> when the directory has too many.</exception>
    /// <exception cref="FileCallException">It cannot be read.</exception>
    public static FileListing Read(SafeFileHandle directory, ReadOnlySpan<byte> after, int limit, CancellationToken cancellationToken)
    {
        var names = ReadNames(directory, after, limit + 1, cancellationToken);
        var entries = ImmutableArray.CreateBuilder<SandboxEntry>(Math.Min(names.Count, limit));
        foreach (var name in names.Take(limit))
        {
            // One that cannot be looked at was removed meanwhile.
            if (FileCalls.TryStat(directory, name, out var status) == 0)
            {
                entries.Add(new([.. name], status.Kind, status.Kind == SandboxEntryKind.File ? status.Size : 0, status.ModifiedAt));
            }
        }

        return new(entries.ToImmutable(), names.Count > limit ? [.. names[limit - 1]] : []);
    }

    private static List<byte[]> ReadNames(SafeFileHandle directory, ReadOnlySpan<byte> after, int count, CancellationToken cancellationToken)
    {
        var first = new PriorityQueue<byte[], byte[]>(count + 1, LastFirst);
        var buffer = new byte[FileCalls.NamesBytes];
        var seen = 0;
        while (FileCalls.ReadNames(directory, buffer) is var filled and > 0)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var left = (ReadOnlySpan<byte>)buffer.AsSpan(0, filled);
            while (!left.IsEmpty)
            {
                var name = FileCalls.NextName(ref left);
                if (name.SequenceEqual("."u8) || name.SequenceEqual(".."u8))
                {
                    continue;
                }

                if (++seen > MaxNames)
                {
                    throw new CerverException(CerverError.PayloadTooLarge, $"The directory has more than {MaxNames} entries. List it in a run.");
                }

                if (name.SequenceCompareTo(after) > 0)
                {
                    Keep(first, name, count);
                }
            }
        }

        var names = new List<byte[]>(first.Count);
        while (first.TryDequeue(out var name, out _))
        {
            names.Add(name);
        }

        names.Reverse();
        return names;
    }

    private static void Keep(PriorityQueue<byte[], byte[]> first, ReadOnlySpan<byte> name, int count)
    {
        if (first.Count == count)
        {
            if (name.SequenceCompareTo(first.Peek()) >= 0)
            {
                return;
            }

            first.Dequeue();
        }

        var kept = name.ToArray();
        first.Enqueue(kept, kept);
    }
}
