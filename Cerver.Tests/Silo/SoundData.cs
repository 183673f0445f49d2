using Cerver.Silo.Standalone;

namespace Cerver.Tests.Silo;

/// <summary>What every fault of the storage must leave: a data directory in which the command <c>check</c> finds nothing.</summary>
internal static class SoundData
{
    /// <summary>Asserts it. No gateway may use the directory.</summary>
    public static void Require(string data)
    {
        using var output = new StringWriter();
        var exitCode = DataCheck.Run(["--CERVER_DATA", data], output);
        Assert.True(exitCode == 0, output.ToString());
    }
}
