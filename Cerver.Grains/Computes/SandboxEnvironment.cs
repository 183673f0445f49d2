using Cerver.Computes;

namespace Cerver.Grains.Computes;

/// <summary>The variables of a run: those its caller gave it, and secrets, which go where its provider takes variables and nowhere else.</summary>
internal static class SandboxEnvironment
{
    /// <summary>All of them. What the caller gave goes first.</summary>
    public static ImmutableDictionary<string, string> Of(SandboxRun run)
    {
        var variables = run.Environment.ToBuilder();
        foreach (var secret in run.Secrets.IsDefault ? [] : run.Secrets)
        {
#pragma warning disable RS0030 // The program is to have it.
            variables.TryAdd(secret.Name, secret.Value.Reveal());
#pragma warning restore RS0030
        }

        return variables.ToImmutable();
    }
}
