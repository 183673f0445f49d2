using System.Text.Json;
using System.Text.RegularExpressions;

namespace Cerver.Tests.Pages;

/// <summary>What a page for agents tells them to do.</summary>
internal static partial class PageReader
{
    /// <summary>The examples for a shell, in their order.</summary>
    public static IEnumerable<string> ExamplesOf(string page) => Blocks().Matches(page).Where(static block => block.Groups["language"].Value == "sh").Select(static block => block.Groups["text"].Value);

    /// <summary>The examples in JSON.</summary>
    public static IEnumerable<string> JsonOf(string page) => Blocks().Matches(page).Where(static block => block.Groups["language"].Value == "json").Select(static block => block.Groups["text"].Value);

    /// <summary>The calls of the examples.</summary>
    public static IEnumerable<PageCall> CallsOf(string page) =>
        from example in ExamplesOf(page)
        from command in example.Replace("\\\n", " ", StringComparison.Ordinal).Replace("|\n", "| ", StringComparison.Ordinal).Split('\n')
        let address = Address().Match(command)
        where address.Success
        let body = Body().Match(command)
        let method = Method().Match(command) is { Success: true } named ? named.Groups["method"].Value : command.Contains("--json", StringComparison.Ordinal) ? "POST" : "GET"
        select new PageCall(
            method,
            Variable().Replace(address.Groups["path"].Value, "{}"),
            [.. address.Groups["query"].Value.Split('&', StringSplitOptions.RemoveEmptyEntries).Select(static pair => pair.Split('=')[0])],
            body.Success ? [.. JsonDocument.Parse(body.Groups["json"].Value).RootElement.EnumerateObject().Select(static member => member.Name)] : []);

    /// <summary>The routes that are named in the text, such as <c>GET /v2/sessions</c>.</summary>
    public static IEnumerable<string> RoutesOf(string page) => Route().Matches(page).Select(static route => route.Groups["route"].Value);

    /// <summary>The tools that are named.</summary>
    public static HashSet<string> ToolsOf(string page) => Tool().Matches(page).Select(static tool => tool.Value).ToHashSet(StringComparer.Ordinal);

    /// <summary>The words of refusals that are named in the table of what to do.</summary>
    public static IEnumerable<string> CodesOf(string page) =>
        CodeRow().Matches(page).SelectMany(static row => Word().Matches(row.Groups["codes"].Value)).Select(static word => word.Groups["word"].Value);

    /// <summary>The addresses that are linked or named.</summary>
    public static IEnumerable<string> LinksOf(string page, string address) =>
        Link().Matches(page).Select(static link => link.Value.TrimEnd('.')).Where(link => link.StartsWith(address, StringComparison.Ordinal)).Select(link => link[address.Length..]);

    [GeneratedRegex(@"^```(?<language>\w+)\n(?<text>.*?)^```$", RegexOptions.Multiline | RegexOptions.Singleline | RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Blocks();

    [GeneratedRegex(@"\$CERVER_URL(?<path>/[^""?]*)(\?(?<query>[^""]*))?""", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Address();

    [GeneratedRegex(@"--json '(?<json>\{.*?\})'", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Body();

    [GeneratedRegex("-X (?<method>[A-Z]+)", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Method();

    [GeneratedRegex(@"\$\w+|DEPLOY_TOKEN", RegexOptions.None, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Variable();

    [GeneratedRegex("`(?<route>(GET|POST|PUT|PATCH|DELETE) /[^` ]*)`", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Route();

    [GeneratedRegex(@"\b(cerver_[a-z_]+|secret_[a-z_]+)\b(?=`)(?<!secret_not_found|secret_backend_unavailable)", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Tool();

    [GeneratedRegex(@"^\| \d{3}[^|]*\|(?<codes>[^|]*)\|", RegexOptions.Multiline | RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex CodeRow();

    [GeneratedRegex("`(?<word>[a-z_]+)`", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Word();

    [GeneratedRegex(@"http://[^\s)""']+", RegexOptions.None, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Link();
}

/// <summary>A call that a page makes.</summary>
/// <param name="Method">The method.</param>
/// <param name="Path">The path, with <c>{}</c> for what the caller puts in.</param>
/// <param name="Parameters">The names in its query.</param>
/// <param name="Members">The names in its body.</param>
internal sealed record PageCall(string Method, string Path, string[] Parameters, string[] Members);
