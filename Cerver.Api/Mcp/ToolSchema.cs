using System.Collections.Frozen;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Cerver.Errors;

namespace Cerver.Api.Mcp;

/// <summary>
/// A JSON Schema of <see cref="ToolCatalog"/>, as far as we write it, which says of a value what is wrong with it in words that its sender can act on.
/// </summary>
internal sealed class ToolSchema
{
    private static readonly FrozenSet<string> Notes = FrozenSet.Create(StringComparer.Ordinal, "description", "default", "examples", "title", "format");

    private readonly ImmutableArray<string> _types = [];
    private readonly ImmutableArray<string> _words = [];
    private readonly FrozenDictionary<string, ToolSchema> _properties = FrozenDictionary<string, ToolSchema>.Empty;
    private readonly ImmutableArray<string> _required = [];
    private readonly ToolSchema? _items;
    private readonly ToolSchema? _others;
    private readonly bool _allowsOthers = true;
    private readonly double? _minimum;
    private readonly double? _maximum;
    private readonly int? _minCount;
    private readonly int? _maxCount;

    /// <summary>Reads a schema. A keyword that nobody here would check is a mistake of ours.</summary>
    public ToolSchema(JsonElement schema)
    {
        foreach (var keyword in schema.EnumerateObject())
        {
            var value = keyword.Value;
            switch (keyword.Name)
            {
                case "type":
                    _types = value.ValueKind == JsonValueKind.Array ? Words(value) : [value.GetString()!];
                    break;
                case "enum":
                    _words = Words(value);
                    break;
                case "properties":
                    _properties = value.EnumerateObject().ToFrozenDictionary(static one => one.Name, static one => new ToolSchema(one.Value), StringComparer.Ordinal);
                    break;
                case "required":
                    _required = Words(value);
                    break;
                case "additionalProperties" when value.ValueKind == JsonValueKind.Object:
                    _others = new ToolSchema(value);
                    break;
                case "additionalProperties":
                    _allowsOthers = value.GetBoolean();
                    break;
                case "items":
                    _items = new ToolSchema(value);
                    break;
                case "minimum":
                    _minimum = value.GetDouble();
                    break;
                case "maximum":
                    _maximum = value.GetDouble();
                    break;
                case "minLength" or "minItems":
                    _minCount = value.GetInt32();
                    break;
                case "maxLength" or "maxItems":
                    _maxCount = value.GetInt32();
                    break;
                default:
                    _ = Notes.Contains(keyword.Name) ? true : throw new InvalidOperationException($"Nobody checks the keyword '{keyword.Name}'.");
                    break;
            }
        }
    }

    /// <summary>The names of the members of an object.</summary>
    public IEnumerable<string> Names => _properties.Keys;

    /// <summary>Checks what a tool was called with.</summary>
    /// <param name="arguments">The arguments.</param>
    /// <returns>Them in the order of their names, without those that are null where null says nothing: models write it for what they leave out.</returns>
    /// <exception cref="CerverException"><see cref="CerverError.InvalidRequest"/> names the argument at fault.</exception>
    public ImmutableSortedDictionary<string, JsonElement> CheckArguments(IDictionary<string, JsonElement>? arguments)
    {
        var given = (arguments ?? ImmutableDictionary<string, JsonElement>.Empty)
            .Where(argument => argument.Value.ValueKind != JsonValueKind.Null || !_properties.TryGetValue(argument.Key, out var schema) || schema.TakesNull)
            .ToImmutableSortedDictionary(StringComparer.Ordinal);
        foreach (var (name, value) in given)
        {
            CheckMember(name, value, name);
        }

        return _required.FirstOrDefault(name => !given.ContainsKey(name)) is { } missing ? throw Refuse(missing, "is missing; this tool needs it.") : given;
    }

    private bool TakesNull => _types.Contains("null");

    private static ImmutableArray<string> Words(JsonElement array) => [.. array.EnumerateArray().Select(static word => word.GetString()!)];

    private static CerverException Refuse(string path, string rule) => new(CerverError.InvalidRequest, $"'{path}' {rule}", path);

    private static string Format(double number) => number.ToString("#,0.###", CultureInfo.InvariantCulture);

    private static string TypeOf(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Object => "object",
        JsonValueKind.Array => "array",
        JsonValueKind.String => "string",
        JsonValueKind.Number when value.TryGetInt64(out _) => "integer",
        JsonValueKind.Number => "number",
        JsonValueKind.Null => "null",
        _ => "boolean",
    };

    private void CheckMember(string name, JsonElement value, string path)
    {
        if (_properties.TryGetValue(name, out var schema))
        {
            schema.Check(value, path);
        }
        else if (_others is not null)
        {
            _others.Check(value, path);
        }
        else if (!_allowsOthers)
        {
            throw Refuse(
                path.Length <= 100 ? path : $"{path.AsSpan(0, 99)}…",
                _properties.Count == 0 ? "is not known here; nothing is." : $"is not known here; known are {string.Join(", ", _properties.Keys.Order(StringComparer.Ordinal))}.");
        }
    }

    private void Check(JsonElement value, string path)
    {
        var type = TypeOf(value);
        if (!_types.IsEmpty && !_types.Contains(type) && !(type == "integer" && _types.Contains("number")))
        {
            throw Refuse(path, $"must be {Describe()}.");
        }

        switch (type)
        {
            case "string":
                CheckText(value, path);
                break;
            case "integer" or "number":
                _ = IsWithin(value.GetDouble(), _minimum, _maximum) ? true : throw Refuse(path, $"must be {Describe()}.");
                break;
            case "array":
                CheckItems(value, path);
                break;
            case "object":
                foreach (var member in value.EnumerateObject())
                {
                    CheckMember(member.Name, member.Value, $"{path}.{member.Name}");
                }

                _ = _required.FirstOrDefault(name => !value.TryGetProperty(name, out _)) is { } missing ? throw Refuse($"{path}.{missing}", "is missing.") : true;
                break;
        }
    }

    private void CheckText(JsonElement value, string path)
    {
        string text;
        try
        {
            text = value.GetString()!;
        }
        catch (InvalidOperationException)
        {
            throw Refuse(path, "contains text that is not valid Unicode.");
        }

        var isLegal = _words.IsEmpty
            ? IsWithin(text.Length <= _maxCount ? text.Length : text.EnumerateRunes().Count(), _minCount, _maxCount)
            : _words.Contains(text);
        if (!isLegal)
        {
            throw Refuse(path, $"must be {Describe()}.");
        }

        if (text.Contains('\0', StringComparison.Ordinal))
        {
            throw Refuse(path, "must not contain the character U+0000.");
        }
    }

    private void CheckItems(JsonElement value, string path)
    {
        if (!IsWithin(value.GetArrayLength(), _minCount, _maxCount))
        {
            throw Refuse(path, $"must be {Describe()}.");
        }

        var index = 0;
        foreach (var item in value.EnumerateArray())
        {
            _items?.Check(item, $"{path}[{index++}]");
        }
    }

    private static bool IsWithin(double value, double? min, double? max) => !(value < min) && !(value > max);

    /// <summary>What may stand here, to go on after "must be".</summary>
    private string Describe()
    {
        var description = new StringBuilder();
        foreach (var type in _types)
        {
            description.Append(description.Length == 0 ? "" : " or ").Append(type switch
            {
                "string" when !_words.IsEmpty => $"one of {string.Join(", ", _words)}",
                "string" => $"a text{Range(_minCount, _maxCount, " characters")}",
                "integer" => $"a whole number{Range(_minimum, _maximum, "")}",
                "number" => $"a number{Range(_minimum, _maximum, "")}",
                "array" => $"an array{Range(_minCount, _maxCount, " items")}",
                "object" => "an object",
                "boolean" => "true or false",
                _ => type,
            });
        }

        return description.ToString();
    }

    private static string Range(double? min, double? max, string unit) => (min, max) switch
    {
        (null, null) => "",
        (_, null) => $" of at least {Format(min.Value)}{unit}",
        (null, _) => $" of at most {Format(max.Value)}{unit}",
        _ when min.Value.Equals(max.Value) => $" of {Format(max.Value)}{unit}",
        _ => $" from {Format(min.Value)} to {Format(max.Value)}{unit}",
    };
}
