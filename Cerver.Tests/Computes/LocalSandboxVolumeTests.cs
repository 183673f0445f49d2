using System.Security.Cryptography;
using Cerver.Runs;

namespace Cerver.Tests.Computes;

/// <summary>Much output. What it holds meanwhile shows in the memory of the whole process, so nothing else may run in it.</summary>
[Collection(nameof(LocalSandboxVolumeTests))]
public sealed class LocalSandboxVolumeTests(LocalSandboxFixture fixture) : IClassFixture<LocalSandboxFixture>
{
    [Fact]
    public async Task Fifty_mebibytes_arrive_whole_and_do_not_pile_up()
    {
        const int Size = 50 * 1024 * 1024;
        await using var sandbox = await fixture.OpenAsync();
        var process = await sandbox.StartAsync($"head -c {Size} /dev/urandom > data; sha256sum < data >&2; cat data");
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var told = "";
        long total = 0;
        long most = 0;
        var before = GC.GetTotalMemory(forceFullCollection: true);

        await foreach (var output in process.Output)
        {
            if (output.Kind == OutputKind.Stderr)
            {
                told += System.Text.Encoding.ASCII.GetString(output.Data.Span);
                continue;
            }

            hash.AppendData(output.Data.Span);
            total += output.Data.Length;
            if (total / (8 << 20) > most)
            {
                most = total / (8 << 20);
                Assert.InRange(GC.GetTotalMemory(forceFullCollection: true) - before, long.MinValue, 16 << 20);
            }
        }

        Assert.Equal(Size, total);
        Assert.StartsWith(Convert.ToHexStringLower(hash.GetHashAndReset()), told, StringComparison.Ordinal);
        Assert.Equal(0, await process.Exit);
    }
}

/// <summary>Runs when all tests that run beside each other are over.</summary>
[CollectionDefinition(nameof(LocalSandboxVolumeTests), DisableParallelization = true)]
public sealed class LocalSandboxVolumeCollection;
