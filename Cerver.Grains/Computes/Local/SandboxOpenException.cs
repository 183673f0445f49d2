namespace Cerver.Grains.Computes.Local;

/// <summary>A sandbox did not come up. Stays within the provider, which translates it.</summary>
/// <param name="diagnostics">What the programs that should have brought it up had to say, for the log.</param>
internal sealed class SandboxOpenException(string diagnostics) : Exception("The sandbox did not come up.")
{
    /// <summary>What the programs that should have brought it up had to say, for the log.</summary>
    public string Diagnostics { get; } = diagnostics;
}
