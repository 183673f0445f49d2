using System.Globalization;
using Cerver.Errors;
using Microsoft.Extensions.Primitives;

namespace Cerver.Api.Requests;

/// <summary>A value beside the body. What is declared here is both what is read and what the API reference says.</summary>
/// <param name="Name">Its name on the wire.</param>
/// <param name="Description">For the API reference.</param>
/// <param name="IsHeader">Whether it is a header and not in the query.</param>
internal abstract record RequestParameter(string Name, string Description, bool IsHeader)
{
    /// <summary>The one value, or null when it is absent.</summary>
    /// <exception cref="CerverException"><see cref="CerverError.InvalidRequest"/> when it is there twice.</exception>
    protected string? ReadText(HttpRequest request)
    {
        StringValues values = IsHeader ? request.Headers[Name] : request.Query[Name];
        return values.Count switch
        {
            0 => null,
            1 => values[0],
            _ => throw Refuse("must be given once."),
        };
    }

    protected CerverException Refuse(string rule) => new(CerverError.InvalidRequest, $"'{Name}' {rule}", Name);
}

/// <summary>A whole number.</summary>
/// <param name="Name">Its name on the wire.</param>
/// <param name="Min">The least legal value.</param>
/// <param name="Max">The largest legal value.</param>
/// <param name="Description">For the API reference.</param>
/// <param name="IsHeader">Whether it is a header.</param>
internal sealed record NumberParameter(string Name, long Min, long Max, string Description, bool IsHeader = false)
    : RequestParameter(Name, Description, IsHeader)
{
    /// <summary>The number, or null when it is absent.</summary>
    /// <exception cref="CerverException"><see cref="CerverError.InvalidRequest"/> for anything but one number in range.</exception>
    public long? Read(HttpRequest request)
    {
        var text = ReadText(request);
        if (text is null)
        {
            return null;
        }

        return long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= Min && number <= Max
            ? number
            : throw Refuse(Max == long.MaxValue ? $"must be a whole number from {Min} on." : $"must be a whole number from {Min} to {Max}.");
    }
}

/// <summary>A text; an empty one counts as absent.</summary>
/// <param name="Name">Its name on the wire.</param>
/// <param name="Description">For the API reference.</param>
/// <param name="IsHeader">Whether it is a header.</param>
internal sealed record TextParameter(string Name, string Description, bool IsHeader = false) : RequestParameter(Name, Description, IsHeader)
{
    /// <summary>The text, or null when it is absent.</summary>
    /// <exception cref="CerverException"><see cref="CerverError.InvalidRequest"/> when it is there twice or holds U+0000.</exception>
    public string? Read(HttpRequest request)
    {
        var text = ReadText(request);
        return text?.Contains('\0', StringComparison.Ordinal) == true
            ? throw Refuse("must not contain the character U+0000.")
            : string.IsNullOrEmpty(text) ? null : text;
    }
}

/// <summary>A time as RFC 3339 writes it; an empty one counts as absent.</summary>
/// <param name="Name">Its name on the wire.</param>
/// <param name="Description">For the API reference.</param>
internal sealed record TimeParameter(string Name, string Description) : RequestParameter(Name, Description, IsHeader: false)
{
    /// <summary>The time, or null when it is absent.</summary>
    /// <exception cref="CerverException"><see cref="CerverError.InvalidRequest"/> for anything else.</exception>
    public DateTimeOffset? Read(HttpRequest request) => ReadText(request) switch
    {
        null or "" => null,
        var text when TimestampText.TryParse(text, out var time) => time,
        _ => throw Refuse($"{TimestampText.Rule} In an address a '+' is written '%2B'."),
    };
}

/// <summary>One word of a few; an empty one counts as absent.</summary>
/// <param name="Name">Its name on the wire.</param>
/// <param name="Choices">The words.</param>
/// <param name="Description">For the API reference.</param>
internal sealed record ChoiceParameter(string Name, ImmutableArray<string> Choices, string Description)
    : RequestParameter(Name, Description, IsHeader: false)
{
    /// <summary>The word, or null when it is absent.</summary>
    /// <exception cref="CerverException"><see cref="CerverError.InvalidRequest"/> for any other word.</exception>
    public string? Read(HttpRequest request) => ReadText(request) switch
    {
        null or "" => null,
        var word when Choices.Contains(word) => word,
        _ => throw Refuse($"must be one of {string.Join(", ", Choices)}."),
    };
}

/// <summary>A yes or no: <c>1</c> and <c>true</c>, <c>0</c> and <c>false</c>.</summary>
/// <param name="Name">Its name on the wire.</param>
/// <param name="Description">For the API reference.</param>
internal sealed record FlagParameter(string Name, string Description) : RequestParameter(Name, Description, IsHeader: false)
{
    /// <summary>Whether it is there and says yes.</summary>
    /// <exception cref="CerverException"><see cref="CerverError.InvalidRequest"/> for any other word.</exception>
    public bool Read(HttpRequest request) => ReadText(request) switch
    {
        null or "0" or "false" => false,
        "1" or "true" => true,
        _ => throw Refuse("must be 1 or 0."),
    };
}

/// <summary>Says which parameters a route reads.</summary>
/// <param name="Parameters">The parameters.</param>
internal sealed record ParameterMetadata(ImmutableArray<RequestParameter> Parameters);
