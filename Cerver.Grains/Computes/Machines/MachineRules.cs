using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Cerver.Computes;
using Cerver.Errors;
using Cerver.Grains.Secrets.Redaction;

namespace Cerver.Grains.Computes.Machines;

/// <summary>What machines may say of themselves, and what it means. Pure: no clock, no I/O.</summary>
internal static class MachineRules
{
    /// <summary>What a machine says of its state when it says nothing.</summary>
    public const string Online = "online";

    private const int MaxLabelCharacters = 200;
    private const int MaxWordCharacters = 64;
    private const int MaxObjectBytes = 64 * 1024;
    private const string UsualKind = "host";

    /// <summary>How often a machine sends a heartbeat.</summary>
    private static readonly TimeSpan HeartbeatInterval = TimeSpan.FromSeconds(60);

    /// <summary>A machine that has missed three is offline, whatever its channel says.</summary>
    private static readonly TimeSpan MaxSilence = 3 * HeartbeatInterval;

    /// <summary>What members are called that hold tokens, without what stands between words.</summary>
    private static readonly ImmutableArray<string> TokenNames =
        ["token", "secret", "password", "passwd", "apikey", "accesskey", "privatekey", "credential", "authorization", "cookie"];

    private static readonly JsonWriterOptions Plain = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>A machine as it registers, or registers once more.</summary>
    /// <exception cref="CerverException">Names the field at fault.</exception>
    public static MachineState Apply(RegisterMachine request, string computeId, SecretMatcher matcher, DateTimeOffset now)
    {
        CheckCharacters(request.Label, "label", MaxLabelCharacters);
        CheckCharacters(request.Kind, "kind", MaxWordCharacters);
        return new()
        {
            Label = string.IsNullOrWhiteSpace(request.Label) ? computeId : TextRedactor.Redact(matcher, request.Label)!,
            Kind = string.IsNullOrWhiteSpace(request.Kind) ? UsualKind : TextRedactor.Redact(matcher, request.Kind)!,
            Capabilities = Keep(request.Capabilities, "capabilities", matcher),
            Metadata = Keep(request.Metadata, "metadata", matcher),
            LastHeartbeatAt = now,
        };
    }

    /// <summary>A machine after a heartbeat.</summary>
    /// <exception cref="CerverException">Names the field at fault.</exception>
    public static MachineState Apply(MachineState machine, MachineHeartbeat heartbeat, SecretMatcher matcher, DateTimeOffset now)
    {
        CheckCharacters(heartbeat.Status, "status", MaxWordCharacters);
        return machine with
        {
            Status = TextRedactor.Redact(matcher, heartbeat.Status) ?? Online,
            Capabilities = Keep(heartbeat.Capabilities, "capabilities", matcher) ?? machine.Capabilities,
            Metadata = Keep(heartbeat.Metadata, "metadata", matcher) ?? machine.Metadata,
            LastHeartbeatAt = now,
        };
    }

    /// <summary>The machine as its account sees it.</summary>
    /// <param name="machine">What is stored of it.</param>
    /// <param name="accountId">The account.</param>
    /// <param name="computeId">Its id.</param>
    /// <param name="connectedAt">When the channel that it has was first heard of here, or null when it has none.</param>
    /// <param name="heardAt">When it last sent a heartbeat, also one that could not be stored.</param>
    /// <param name="now">The time.</param>
    public static ComputeInfo Describe(
        MachineState machine, string accountId, string computeId, DateTimeOffset? connectedAt, DateTimeOffset heardAt, DateTimeOffset now)
    {
        var fault = FaultOf(machine, connectedAt, heardAt, now);
        var capabilities = MachineCapabilities.Read(machine.Capabilities);
        return new(
            computeId,
            machine.Label,
            MachineKey.Provider,
            fault is null ? ComputeStatus.Ready : ComputeStatus.Offline,
            fault,
            "private",
            machine.Kind,
            capabilities.Runtimes,
            capabilities.Network)
        {
            // Any silo reaches it.
            Hosts = [""],
            Capabilities = capabilities.Sandboxes,
            Machine = new(accountId, machine.LastHeartbeatAt, machine.Capabilities, machine.Metadata),
        };
    }

    /// <summary>An object without what looks like a token: texts that are one, and members that are called so unless they are numbers or yes or no.</summary>
    public static string WithoutTokens(string json)
    {
        using var document = JsonDocument.Parse(json);
        if (!HasTokens(document.RootElement))
        {
            return json;
        }

        using var buffer = new MemoryStream();
        using (var writer = new Utf8JsonWriter(buffer, Plain))
        {
            WriteWithoutTokens(document.RootElement, writer);
        }

        return Encoding.UTF8.GetString(buffer.ToArray());
    }

    private static string? FaultOf(MachineState machine, DateTimeOffset? connectedAt, DateTimeOffset heardAt, DateTimeOffset now)
    {
        if (connectedAt is null)
        {
            return $"It is not connected; it was last heard of at {TextOf(heardAt)}. Start its relay, or wait for it to come back.";
        }

        // A machine that has just dialled in has its first heartbeat still to send.
        if (now - (heardAt > connectedAt ? heardAt : connectedAt.Value) > MaxSilence)
        {
            return $"It has missed three heartbeats; the last one came at {TextOf(heardAt)}. See whether its relay still works.";
        }

        return machine.Status is "offline" or "unconfigured" ? $"It says of itself that it is {machine.Status}. See its relay." : null;
    }

    private static string TextOf(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);

    private static string? Keep(string? json, string field, SecretMatcher matcher)
    {
        if (json is null)
        {
            return null;
        }

        return Encoding.UTF8.GetByteCount(json) <= MaxObjectBytes
            ? JsonRedactor.Redact(matcher, WithoutTokens(json))
            : throw new CerverException(
                CerverError.PayloadTooLarge, string.Create(CultureInfo.InvariantCulture, $"'{field}' must have at most {MaxObjectBytes} bytes."), field);
    }

    private static void CheckCharacters(string? text, string field, int max)
    {
        if (text?.Length > max)
        {
            throw new CerverException(
                CerverError.InvalidRequest, string.Create(CultureInfo.InvariantCulture, $"'{field}' must have at most {max} characters."), field);
        }
    }

    private static bool HasTokens(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Object => value.EnumerateObject().Any(static member => IsToken(member) || HasTokens(member.Value)),
        JsonValueKind.Array => value.EnumerateArray().Any(HasTokens),
        _ => IsToken(value),
    };

    /// <summary>How deep this goes was bounded when the object came in.</summary>
    private static void WriteWithoutTokens(JsonElement value, Utf8JsonWriter writer)
    {
        switch (value.ValueKind)
        {
            case JsonValueKind.Object:
                writer.WriteStartObject();
                foreach (var member in value.EnumerateObject().Where(static member => !IsToken(member) && !IsToken(member.Value)))
                {
                    writer.WritePropertyName(member.Name);
                    WriteWithoutTokens(member.Value, writer);
                }

                writer.WriteEndObject();
                break;
            case JsonValueKind.Array:
                writer.WriteStartArray();
                foreach (var item in value.EnumerateArray().Where(static item => !IsToken(item)))
                {
                    WriteWithoutTokens(item, writer);
                }

                writer.WriteEndArray();
                break;
            default:
                value.WriteTo(writer);
                break;
        }
    }

    private static bool IsToken(JsonProperty member)
    {
        var name = string.Concat(member.Name.Where(char.IsLetterOrDigit));
        return TokenNames.Any(token => name.Contains(token, StringComparison.OrdinalIgnoreCase)) && HasText(member.Value);
    }

    /// <summary>Counts of tokens are no tokens.</summary>
    private static bool HasText(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.String => true,
        JsonValueKind.Array => value.EnumerateArray().Any(HasText),
        JsonValueKind.Object => value.EnumerateObject().Any(static member => HasText(member.Value)),
        _ => false,
    };

    private static bool IsToken(JsonElement value) =>
        value.ValueKind == JsonValueKind.String && value.GetString() is { } text
        && (text.StartsWith("Bearer ", StringComparison.OrdinalIgnoreCase) || text.StartsWith("ck_", StringComparison.Ordinal));
}
