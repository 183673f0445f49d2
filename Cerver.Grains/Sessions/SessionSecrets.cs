using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Cerver.Errors;
using Cerver.Grains.Secrets;
using Cerver.Runs;
using Cerver.Secrets;
using Cerver.Sessions;

namespace Cerver.Grains.Sessions;

/// <summary>The secrets that the runs of a session get. Their names are among what the session requires; their values are nowhere.</summary>
internal static class SessionSecrets
{
    private const string Member = "secrets";
    private const string Field = "requirements.secrets";

    private static readonly JsonSerializerOptions Plain = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Requirements with names that stand beside them in the request. A session may name them in either place.</summary>
    /// <exception cref="CerverException"><see cref="CerverError.InvalidRequest"/>.</exception>
    public static string? Join(string? requirements, ImmutableArray<string> names)
    {
        var all = Of(requirements).Union(names.IsDefault ? [] : names, StringComparer.Ordinal).ToImmutableArray();
        SecretRules.CheckInjected(all);
        if (names.IsDefaultOrEmpty)
        {
            return requirements;
        }

        var joined = requirements is null ? [] : JsonNode.Parse(requirements)!.AsObject();
        joined[Member] = new JsonArray([.. all.Select(static name => JsonValue.Create(name))]);
        return joined.ToJsonString(Plain);
    }

    /// <summary>The names that a run needs: the session's and its own, but for what its caller gives it otherwise.</summary>
    /// <exception cref="CerverException"><see cref="CerverError.InvalidRequest"/>.</exception>
    public static ImmutableArray<string> Needed(SessionRecord record, StartRun request)
    {
        ImmutableArray<string> needed =
        [
            .. Of(record.Requirements).Union(request.Secrets.IsDefault ? [] : request.Secrets, StringComparer.Ordinal)
                .Where(name => !request.Environment.ContainsKey(name)),
        ];
        SecretRules.CheckInjected(needed);
        return needed;
    }

    private static ImmutableArray<string> Of(string? requirements)
    {
        if (requirements is null || !requirements.Contains(Member, StringComparison.Ordinal))
        {
            return [];
        }

        using var document = JsonDocument.Parse(requirements);
        if (!document.RootElement.TryGetProperty(Member, out var names) || names.ValueKind == JsonValueKind.Null)
        {
            return [];
        }

        return names.ValueKind == JsonValueKind.Array && names.EnumerateArray().All(static name => name.ValueKind == JsonValueKind.String)
            ? [.. names.EnumerateArray().Select(static name => name.GetString()!)]
            : throw new CerverException(CerverError.InvalidRequest, $"'{Field}' must be an array of names of secrets.", Field);
    }
}
