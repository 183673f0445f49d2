using Cerver.Errors;
using Cerver.Operations;

namespace Cerver.Grains.Operations;

/// <summary>The names of calls that were made again lately, as one writer knows them. It costs nothing while none is.</summary>
/// <remarks>
/// An attempt may overtake the one before, which nobody waits for any more. Carried out after it, that one would have its effect a second
/// time, or when the caller was told that there was none.
/// </remarks>
internal sealed class RepeatedOperations
{
    /// <summary>An attempt that was overtaken comes within seconds.</summary>
    private const int MaxKnown = 1_000;

    private readonly HashSet<string> _known = new(StringComparer.Ordinal);
    private readonly Queue<string> _order = new();

    /// <summary>Lets a call pass, unless it is a first attempt of the Api's that was made again meanwhile.</summary>
    /// <exception cref="CerverException"><see cref="CerverError.Fenced"/>.</exception>
    public void Admit(Operation operation)
    {
        if (!operation.IsOwn)
        {
            return;
        }

        if (!operation.IsRepetition)
        {
            if (_known.Contains(operation.Key))
            {
                throw new CerverException(CerverError.Fenced, "This call was made again before it came.");
            }
        }
        else if (_known.Add(operation.Key))
        {
            _order.Enqueue(operation.Key);
            if (_order.Count > MaxKnown)
            {
                _known.Remove(_order.Dequeue());
            }
        }
    }
}
