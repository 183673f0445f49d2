using Cerver.Grains.Search;

namespace Cerver.Tests.Search;

public sealed class LikenessTests
{
    [Theory]
    [InlineData("Nightly backup of Monday, 5 January: done, 200 GB, no warnings.", "Nightly backup of Tuesday, 6 January: done, 201 GB, no warnings.", true)]
    [InlineData("timeout after 2031 ms", "timeout after 12 ms", true)]
    [InlineData("数据库备份完成", "数据库备份完成 2", true)]
    [InlineData("We decided against a broker.", "We decided for a broker, as there are many consumers.", false)]
    [InlineData("the key rotation is over", "the build is broken", false)]
    public void Texts_are_alike_that_say_the_same_of_another_day(string text, string other, bool isAlike)
    {
        Assert.Equal(isAlike, Likeness.Of(text).IsAlike(Likeness.Of(other)));
        Assert.Equal(isAlike, Likeness.Of(other).IsAlike(Likeness.Of(text)));
    }
}
