using System.Globalization;
using Cerver.Errors;

namespace Cerver.Grains.Computes.Local;

/// <summary>Gives every open sandbox a user id that no other has.</summary>
/// <param name="first">The first id there is.</param>
/// <param name="count">How many there are.</param>
internal sealed class SandboxUserIds(long first, int count)
{
    private readonly HashSet<long> _taken = [];

    /// <summary>
    /// Takes an id. The search begins where the sandbox's own id points, so a sandbox that comes up again nearly always finds its files
    /// its own, and gateways that share a machine rarely meet.
    /// </summary>
    /// <param name="sandboxId">A sandbox's id. Eight random hexadecimal digits stand before its host.</param>
    /// <exception cref="CerverException"><see cref="CerverError.ProviderUnavailable"/> when all are taken.</exception>
    public long Take(string sandboxId)
    {
        var own = sandboxId.AsSpan(0, sandboxId.Length - Ids.HostOfSandbox(sandboxId).Length);
        var start = uint.Parse(own[^8..], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture) % (uint)count;
        lock (_taken)
        {
            for (var i = 0; i < count; i++)
            {
                var candidate = first + ((start + i) % count);
                if (_taken.Add(candidate))
                {
                    return candidate;
                }
            }
        }

        throw new CerverException(CerverError.ProviderUnavailable, $"All {count} sandboxes that this machine may have at once are in use: end some sessions.");
    }

    /// <summary>Gives an id back, once nothing runs as it any more.</summary>
    public void Return(long userId)
    {
        lock (_taken)
        {
            _taken.Remove(userId);
        }
    }
}
