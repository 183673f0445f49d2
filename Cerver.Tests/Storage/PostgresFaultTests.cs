using Cerver.Grains.Storage.Postgres;
using Npgsql;

namespace Cerver.Tests.Storage;

public sealed class PostgresFaultTests
{
    [Theory]
    [InlineData("23505", true, false, false)]
    [InlineData("40001", true, false, false)]
    [InlineData("40P01", true, false, false)]
    [InlineData("55P03", true, false, false)]
    [InlineData("53100", true, false, false)]
    [InlineData("57014", true, false, false)]
    [InlineData("57P01", true, false, true)]
    [InlineData("57P05", true, false, true)]
    [InlineData("57P02", false, true, false)]
    [InlineData("40003", false, true, false)]
    [InlineData("08000", false, true, false)]
    [InlineData("08003", false, true, false)]
    [InlineData("08006", false, true, false)]
    [InlineData("08007", false, true, false)]
    [InlineData("08P01", false, true, false)]
    public void An_error_that_is_told_has_undone_everything_unless_it_is_about_the_connection(string sqlState, bool isUndone, bool isLost, bool isStale)
    {
        var failure = new PostgresException("server conn crashed?", "FATAL", "FATAL", sqlState);

        Assert.Equal((isUndone, isLost, isStale), (PostgresFault.IsUndone(failure), PostgresFault.IsLost(failure), PostgresFault.IsStale(failure)));
    }

    [Theory]
    [InlineData("Exception while writing to stream", true, true)]
    [InlineData("Exception while reading from stream", false, false)]
    [InlineData("Attempted to read past the end of the stream", false, false)]
    public void Silence_leaves_in_doubt_what_was_sent_as_a_whole(string message, bool isUndone, bool isStale)
    {
        var failure = new NpgsqlException(message, new IOException("Broken pipe"));

        Assert.Equal((isUndone, true, isStale), (PostgresFault.IsUndone(failure), PostgresFault.IsLost(failure), PostgresFault.IsStale(failure)));
    }

    [Theory]
    [InlineData("23505", true)]
    [InlineData("23514", true)]
    [InlineData("22021", true)]
    [InlineData("54000", true)]
    [InlineData("40P01", true)]
    [InlineData("55P03", true)]
    [InlineData("53100", false)]
    [InlineData("42501", false)]
    [InlineData("25006", false)]
    [InlineData("08P01", false)]
    public void A_batch_is_divided_only_for_what_one_of_its_changes_may_have_done(string sqlState, bool isDivided) =>
        Assert.Equal(isDivided, PostgresFault.MayBeOfOneChange(new PostgresException("no", "ERROR", "ERROR", sqlState)));
}
