using System.Text.Json;
using Cerver.Errors;
using Cerver.Runs;

namespace Cerver.Computes;

/// <summary>
/// What a session needs of its compute. Read from the JSON object that the caller sent; members it does not know are left alone.
/// </summary>
/// <param name="Runtime">What executes its code when a run names nothing else.</param>
/// <param name="Network">Whether the sandbox needs the network.</param>
/// <param name="IdleTimeout">How long nothing may happen until the sandbox goes down, 1 s .. 30 days, or null for what is usual.</param>
/// <param name="Features">What its sandbox must be able to do.</param>
[GenerateSerializer, Immutable, Alias("cerver.compute.requirements")]
public sealed record ComputeRequirements(
    [property: Id(0)] SandboxRuntime Runtime = SandboxRuntime.Shell,
    [property: Id(1)] bool Network = false,
    [property: Id(2)] TimeSpan? IdleTimeout = null,
    [property: Id(3)] ComputeFeatures Features = ComputeFeatures.None)
{
    private const double MaxTimeoutMinutes = 43_200;
    private const int MaxFeatures = 20;
    private static readonly TimeSpan MinIdleTimeout = TimeSpan.FromSeconds(1);

    /// <summary>Reads the requirements of a session.</summary>
    /// <param name="json">A JSON object, or null for none.</param>
    /// <exception cref="CerverException"><see cref="CerverError.InvalidRequest"/> names the member that has no such value.</exception>
    public static ComputeRequirements Parse(string? json)
    {
        if (json is null)
        {
            return new();
        }

        using var document = JsonDocument.Parse(json);
        return new(
            ReadRuntime(document.RootElement),
            ReadFlag(document.RootElement, "network"),
            ReadIdleTimeout(document.RootElement),
            ReadFeatures(document.RootElement));
    }

    /// <summary>The runtime that a word of the contract names: <c>shell</c>, <c>node</c> or <c>python</c>.</summary>
    /// <exception cref="CerverException"><see cref="CerverError.InvalidRequest"/> for any other word.</exception>
    public static SandboxRuntime ParseRuntime(string word, string field) => word switch
    {
        "shell" => SandboxRuntime.Shell,
        "node" => SandboxRuntime.Node,
        "python" => SandboxRuntime.Python,
        _ => throw new CerverException(CerverError.InvalidRequest, $"'{field}' must be one of shell, node, python.", field),
    };

    private static SandboxRuntime ReadRuntime(JsonElement requirements)
    {
        const string Field = "requirements.runtime";
        if (!requirements.TryGetProperty("runtime", out var runtime) || runtime.ValueKind == JsonValueKind.Null)
        {
            return SandboxRuntime.Shell;
        }

        return runtime.ValueKind == JsonValueKind.String
            ? ParseRuntime(runtime.GetString()!, Field)
            : throw new CerverException(CerverError.InvalidRequest, $"'{Field}' must be one of shell, node, python.", Field);
    }

    private static TimeSpan? ReadIdleTimeout(JsonElement requirements)
    {
        const string Field = "requirements.timeout_minutes";
        if (!requirements.TryGetProperty("timeout_minutes", out var timeout) || timeout.ValueKind == JsonValueKind.Null)
        {
            return null;
        }

        if (timeout.ValueKind != JsonValueKind.Number || !timeout.TryGetDouble(out var minutes) || minutes is not (> 0 and <= MaxTimeoutMinutes))
        {
            throw new CerverException(CerverError.InvalidRequest, $"'{Field}' must be a positive number, at most {MaxTimeoutMinutes}.", Field);
        }

        var asked = TimeSpan.FromMinutes(minutes);
        return asked > MinIdleTimeout ? asked : MinIdleTimeout;
    }

    private static ComputeFeatures ReadFeatures(JsonElement requirements)
    {
        const string Field = "requirements.capabilities";
        if (!requirements.TryGetProperty("capabilities", out var words) || words.ValueKind == JsonValueKind.Null)
        {
            return ComputeFeatures.None;
        }

        if (words.ValueKind != JsonValueKind.Array || words.GetArrayLength() > MaxFeatures)
        {
            throw new CerverException(CerverError.InvalidRequest, $"'{Field}' must be a list of at most {MaxFeatures} words.", Field);
        }

        var features = ComputeFeatures.None;
        foreach (var word in words.EnumerateArray())
        {
            features |= ComputeFeatureWords.Parse(word.ValueKind == JsonValueKind.String ? word.GetString() : null, Field);
        }

        return features;
    }

    private static bool ReadFlag(JsonElement requirements, string name)
    {
        if (!requirements.TryGetProperty(name, out var flag) || flag.ValueKind is JsonValueKind.Null or JsonValueKind.False)
        {
            return false;
        }

        return flag.ValueKind == JsonValueKind.True
            ? true
            : throw new CerverException(CerverError.InvalidRequest, $"'requirements.{name}' must be true or false.", $"requirements.{name}");
    }
}
