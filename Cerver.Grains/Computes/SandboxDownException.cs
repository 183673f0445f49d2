namespace Cerver.Grains.Computes;

/// <summary>A sandbox is not up, so nothing was started in it. Never crosses a grain call.</summary>
internal sealed class SandboxDownException() : Exception("The sandbox is down.");
