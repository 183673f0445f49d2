using System.Buffers;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using Cerver.Errors;
using Cerver.Operations;

namespace Cerver.Api.Requests;

/// <summary>The caller's name for a write, with which it may be sent again without happening twice.</summary>
internal static class IdempotencyKey
{
    private const int MaxLength = 255;
    private const string ReplayedHeader = "Idempotency-Replayed";

    /// <summary>What every route says that takes it.</summary>
    public static TextParameter Parameter { get; } = new(
        "Idempotency-Key",
        "Your own name for this write, 1 to 255 printable ASCII characters. Sent again within 24 hours with the same request, it answers as it did the first "
        + "time, with `Idempotency-Replayed: true`, and does nothing more; with another request it is refused with 422.",
        IsHeader: true);

    /// <summary>The operation that a request names, or null when it names none.</summary>
    /// <param name="request">The request.</param>
    /// <param name="body">Its body.</param>
    /// <exception cref="CerverException">
    /// <see cref="CerverError.InvalidRequest"/> for a key that is too long or has other characters.
    /// </exception>
    public static Operation? Read(HttpRequest request, ReadOnlySequence<byte> body) => Parameter.Read(request) is { } key
        ? Name(key, Parameter.Name, $"{request.Method} {request.Path}{request.QueryString}\n", body)
        : null;

    /// <summary>The operation of a key.</summary>
    /// <param name="key">The caller's name for the write.</param>
    /// <param name="field">Where it stood.</param>
    /// <param name="call">What is called.</param>
    /// <param name="body">With what.</param>
    /// <exception cref="CerverException">
    /// <see cref="CerverError.InvalidRequest"/> for a key that is too long or has other characters.
    /// </exception>
    public static Operation Name(string key, string field, string call, ReadOnlySequence<byte> body)
    {
        if (key.Length is 0 or > MaxLength || key.AsSpan().ContainsAnyExceptInRange(' ', '~'))
        {
            throw new CerverException(
                CerverError.InvalidRequest, $"'{field}' must have at most {MaxLength} characters, all of them printable ASCII.", field);
        }

        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(Encoding.UTF8.GetBytes(call));
        foreach (var part in body)
        {
            hash.AppendData(part.Span);
        }

        // Not the key itself: it is kept for a day, and a caller may have sent anything as one.
        return new Operation(Convert.ToHexStringLower(SHA256.HashData(Encoding.ASCII.GetBytes(key))), ImmutableCollectionsMarshal.AsImmutableArray(hash.GetHashAndReset()));
    }

    /// <summary>The result of a write; the answer says whether it is told again.</summary>
    public static T TakeFor<T>(this Outcome<T> outcome, HttpResponse response)
    {
        if (outcome.IsReplayed)
        {
            response.Headers[ReplayedHeader] = "true";
        }

        return outcome.Value;
    }
}
