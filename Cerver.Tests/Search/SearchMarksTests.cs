using Cerver.Grains.Search;
using Cerver.Grains.Storage;
using Cerver.Sessions;

namespace Cerver.Tests.Search;

public sealed class SearchMarksTests
{
    [Theory]
    [InlineData(2026, null, 2026, true)]
    [InlineData(2026, null, 9999, true)]
    [InlineData(9998, null, 9999, true)]
    [InlineData(2026, null, 1970, false)]
    [InlineData(null, 2026, 1970, true)]
    [InlineData(null, 2026, 2031, false)]
    [InlineData(2026, 2027, 2026, true)]
    [InlineData(2026, 2027, 2149, false)]
    public void A_range_of_time_of_any_length_is_few_marks_and_entries_in_it_have_one(int? since, int? until, int at, bool isIn)
    {
        var range = SearchMarks.OfDays(since is { } first ? MicrosecondsOf(first) : null, until is { } end ? MicrosecondsOf(end) : null);

        var entry = SearchMarks.Of("ses_1", EntryRole.User, EntryKinds.Text, MicrosecondsOf(at));
        Assert.Equal(isIn, range.Intersect(entry, StringComparer.Ordinal).Any());
        Assert.InRange(range.Count, 1, 200);
    }

    private static long MicrosecondsOf(int year) => UnixMicroseconds.From(new DateTimeOffset(year, 6, 1, 12, 0, 0, TimeSpan.Zero));
}
