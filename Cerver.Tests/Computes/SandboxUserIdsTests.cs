using Cerver.Grains.Computes.Local;

namespace Cerver.Tests.Computes;

public sealed class SandboxUserIdsTests
{
    private const string Host = "0d7b31c9";

    private readonly SandboxUserIds _ids = new(first: 1_000, count: 100_000);

    [Fact]
    public void A_sandbox_that_comes_up_again_finds_its_files_its_own()
    {
        var sandboxId = Ids.NewSandbox(TimeProvider.System, Host);
        var first = _ids.Take(sandboxId);
        _ids.Return(first);

        Assert.Equal(first, _ids.Take(sandboxId));
    }

    [Fact]
    public void Sandboxes_of_one_host_are_looked_for_in_different_places()
    {
        var taken = Enumerable.Range(0, 20).Select(_ =>
        {
            var userId = _ids.Take(Ids.NewSandbox(TimeProvider.System, Host));
            _ids.Return(userId);
            return userId;
        });

        Assert.True(taken.Distinct().Count() > 15);
    }
}
