using System.Buffers;
using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace Cerver;

/// <summary>Makes the ids of the contract and knows their shape.</summary>
public static class Ids
{
    /// <summary>How many hexadecimal digits name a host.</summary>
    public const int HostLength = 8;

    private const int SandboxLength = 36;
    private const int MaxAccountLength = 64;
    private const string MachinePrefix = "comp_";
    private const int MaxMachineLength = 64;
    private const string VaultPrefix = "vault_";
    private const int VaultLength = 38;

    private static readonly SearchValues<char> AccountCharacters = SearchValues.Create("abcdefghijklmnopqrstuvwxyz0123456789-");

    private static readonly SearchValues<char> MachineCharacters = SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-");

    private static readonly SearchValues<char> HexDigits = SearchValues.Create("0123456789abcdef");

    private static long _last;

    /// <summary>A new session id: a UUIDv7 of 36 characters, later than every id this process made before.</summary>
    public static string NewSession(TimeProvider time) => NewVersion7(time).ToString("d");

    /// <summary>
    /// The id of the session that an account makes of a content, always the same: a UUIDv8 of 36 characters. It must never be made in another way, or what was
    /// imported would be imported again.
    /// </summary>
    /// <param name="accountId">The account.</param>
    /// <param name="contentHash">A digest of the content.</param>
    public static string OfImport(string accountId, ReadOnlySpan<byte> contentHash)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(Encoding.UTF8.GetBytes($"cerver.import\n{accountId}\n"));
        hash.AppendData(contentHash);
        Span<byte> bytes = stackalloc byte[SHA256.HashSizeInBytes];
        hash.GetHashAndReset(bytes);
        bytes[6] = (byte)((bytes[6] & 0x0F) | 0x80);
        bytes[8] = (byte)((bytes[8] & 0x3F) | 0x80);
        return new Guid(bytes[..16], bigEndian: true).ToString("d");
    }

    /// <summary>A new run id: <c>run_</c> and 32 hexadecimal digits in order of time.</summary>
    public static string NewRun(TimeProvider time) => $"run_{NewVersion7(time):n}";

    /// <summary>A new name for a file that is being sent: <c>upload_</c> and 32 hexadecimal digits in order of time. Nobody outside is told it.</summary>
    public static string NewUpload(TimeProvider time) => $"upload_{NewVersion7(time):n}";

    /// <summary>A new sandbox id: <c>sbx_</c> and 32 hexadecimal digits in order of time, then those of its host, if it has one.</summary>
    /// <param name="time">The clock.</param>
    /// <param name="host">
    /// The host that alone can reach the sandbox, <see cref="HostLength"/> hexadecimal digits, or empty when every silo can.
    /// </param>
    public static string NewSandbox(TimeProvider time, string host = "") => $"sbx_{NewVersion7(time):n}{host}";

    /// <summary>A new id of a vault: <c>vault_</c> and 32 hexadecimal digits in order of time.</summary>
    public static string NewVault(TimeProvider time) => $"{VaultPrefix}{NewVersion7(time):n}";

    /// <summary>A new id of a channel to a machine: <c>chan_</c> and 32 hexadecimal digits in order of time.</summary>
    public static string NewChannel(TimeProvider time) => $"chan_{NewVersion7(time):n}";

    /// <summary>A new id of a request to a machine: <c>req_</c> and 32 hexadecimal digits in order of time.</summary>
    public static string NewRequest(TimeProvider time) => $"req_{NewVersion7(time):n}";

    /// <summary>When a sandbox id was made, to the millisecond; the earliest time there is for an id that does not say.</summary>
    public static DateTimeOffset TimeOfSandbox(string sandboxId) =>
        sandboxId.Length is SandboxLength or SandboxLength + HostLength && Guid.TryParseExact(sandboxId.AsSpan(4, 32), "n", out var id)
            ? DateTimeOffset.FromUnixTimeMilliseconds(BinaryPrimitives.ReadInt64BigEndian(id.ToByteArray(bigEndian: true)) >>> 16)
            : DateTimeOffset.MinValue;

    /// <summary>The host that alone can reach a sandbox, or empty when every silo can.</summary>
    public static string HostOfSandbox(string sandboxId) => sandboxId.Length == SandboxLength + HostLength ? sandboxId[SandboxLength..] : "";

    /// <summary>Whether a text can be an account id: 1 to 64 characters of <c>a-z</c>, <c>0-9</c> and <c>-</c>.</summary>
    public static bool IsAccount(string text) => text.Length is > 0 and <= MaxAccountLength && text.AsSpan().IndexOfAnyExcept(AccountCharacters) < 0;

    /// <summary>Whether a text can be a sandbox id at all.</summary>
    public static bool IsSandbox(string text) =>
        text.Length is SandboxLength or SandboxLength + HostLength && text.StartsWith("sbx_", StringComparison.Ordinal) && !text.AsSpan(4).ContainsAnyExcept(HexDigits);

    /// <summary>Whether a text can be a session id at all. What cannot need not be looked up.</summary>
    public static bool IsSession(string text) => text.Length == 36 && Guid.TryParseExact(text, "d", out _) && !text.Any(char.IsAsciiLetterUpper);

    /// <summary>Whether a text can be a run id at all.</summary>
    public static bool IsRun(string text) =>
        text.Length == 36 && text.StartsWith("run_", StringComparison.Ordinal) && Guid.TryParseExact(text.AsSpan(4), "n", out _) && !text.Any(char.IsAsciiLetterUpper);

    /// <summary>
    /// Whether a text can be the id of a machine, which machines choose themselves: <c>comp_</c> and up to 59 letters, digits, <c>_</c> and <c>-</c>; usually 16
    /// hexadecimal digits.
    /// </summary>
    public static bool IsMachine(string text) =>
        text.Length > MachinePrefix.Length && text.Length <= MaxMachineLength && text.StartsWith(MachinePrefix, StringComparison.Ordinal)
        && text.AsSpan().IndexOfAnyExcept(MachineCharacters) < 0;

    /// <summary>Whether a text can be the id of a vault at all.</summary>
    public static bool IsVault(string text) =>
        text.Length == VaultLength && text.StartsWith(VaultPrefix, StringComparison.Ordinal) && Guid.TryParseExact(text.AsSpan(VaultPrefix.Length), "n", out _)
        && !text.Any(char.IsAsciiLetterUpper);

    /// <summary>
    /// The framework's version 7 is random within a millisecond. Here the 12 bits after the time are a counter that carries into the time,
    /// so ids of one process sort in the order they were made.
    /// </summary>
    private static Guid NewVersion7(TimeProvider time)
    {
        var now = time.GetUtcNow().ToUnixTimeMilliseconds() << 12;
        long before;
        long stamp;
        do
        {
            before = Volatile.Read(ref _last);
            stamp = Math.Max(now, before + 1);
        }
        while (Interlocked.CompareExchange(ref _last, stamp, before) != before);

        Span<byte> bytes = stackalloc byte[16];
        RandomNumberGenerator.Fill(bytes[8..]);
        BinaryPrimitives.WriteInt64BigEndian(bytes, (stamp >> 12 << 16) | 0x7000 | (stamp & 0xFFF));
        bytes[8] = (byte)((bytes[8] & 0x3F) | 0x80);
        return new Guid(bytes, bigEndian: true);
    }
}
