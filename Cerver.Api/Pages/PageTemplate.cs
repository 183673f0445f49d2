using System.Text;
using System.Text.RegularExpressions;

namespace Cerver.Api.Pages;

/// <summary>Makes pages of a text with marks, and only of the parts whose routes there are. Pure.</summary>
/// <remarks>
/// <c>{{page NAME}}</c> begins a page. What is between <c>{{needs METHOD /path}}</c> and its <c>{{end}}</c> is there when the route is; the two may
/// stand within a line, or each on a line of its own, and within each other. <c>{{routes}}</c> is a list of all routes.
/// <c>{{url}}</c> stays, for whoever knows the address.
/// </remarks>
internal static partial class PageTemplate
{
    /// <summary>Stands for the address of the gateway.</summary>
    public const string AddressMark = "{{url}}";

    /// <summary>The pages by their names, with the address still open.</summary>
    /// <param name="template">The text.</param>
    /// <param name="routes">The routes that there are.</param>
    public static IEnumerable<KeyValuePair<string, string>> Render(string template, IReadOnlyCollection<PageRoute> routes)
    {
        var known = routes.Select(static route => route.Name).ToHashSet(StringComparer.Ordinal);
        var pages = PageMark().Split(template);

        // What is before the first page, then names and texts in turn.
        for (var i = 1; i < pages.Length; i += 2)
        {
            yield return new(pages[i], RenderPage(pages[i + 1], known).Replace("{{routes}}", ListOf(routes), StringComparison.Ordinal));
        }
    }

    /// <summary>The routes that parts of a text wait for.</summary>
    public static IEnumerable<string> NeedsOf(string template) =>
        Mark().Matches(template).Select(static mark => mark.Groups["route"]).Where(static route => route.Success).Select(static route => route.Value);

    private static string RenderPage(string text, HashSet<string> known)
    {
        var page = new StringBuilder();
        var open = new Stack<bool>();
        var end = 0;
        foreach (var mark in Mark().Matches(text).Cast<Match>())
        {
            Append(mark.Index);
            end = mark.Index + mark.Length;
            if (mark.Groups["route"] is { Success: true, Value: var route })
            {
                open.Push(IsShown() && known.Contains(route));
            }
            else if (!open.TryPop(out _))
            {
                throw new InvalidOperationException("A page has an {{end}} without a beginning.");
            }
        }

        Append(text.Length);
        return open.Count == 0 ? page.ToString() : throw new InvalidOperationException("A page has a part that does not end.");

        bool IsShown() => !open.TryPeek(out var isShown) || isShown;

        void Append(int until)
        {
            if (IsShown())
            {
                page.Append(text.AsSpan(end, until - end));
            }
        }
    }

    private static string ListOf(IEnumerable<PageRoute> routes) => string.Join(
        '\n',
        routes.Where(static route => route.Summary is not null)
            .OrderBy(static route => route.Path, StringComparer.Ordinal).ThenBy(static route => route.Method, StringComparer.Ordinal)
            .Select(static route => $"- `{route.Name}`: {route.Summary}"));

    [GeneratedRegex(@"^\{\{page (?<name>\S+)\}\}\n", RegexOptions.Multiline | RegexOptions.ExplicitCapture | RegexOptions.CultureInvariant, matchTimeoutMilliseconds: 1000)]
    private static partial Regex PageMark();

    /// <summary>A mark that is alone on its line takes the line with it.</summary>
    [GeneratedRegex(
        @"(^\{\{(needs (?<route>[A-Z]+ /\S*?)|end)\}\}\n)|(\{\{(needs (?<route>[A-Z]+ /\S*?)|end)\}\}(?!\}))",
        RegexOptions.Multiline | RegexOptions.ExplicitCapture | RegexOptions.CultureInvariant,
        matchTimeoutMilliseconds: 1000)]
    private static partial Regex Mark();
}

/// <summary>A route as pages name it.</summary>
/// <param name="Method">The method.</param>
/// <param name="Path">The path, with parameters in braces.</param>
/// <param name="Summary">One sentence, or null when it is in no list.</param>
internal sealed record PageRoute(string Method, string Path, string? Summary)
{
    /// <summary>What a template waits for it by.</summary>
    public string Name => $"{Method} {Path}";
}
