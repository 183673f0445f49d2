using System.Diagnostics.CodeAnalysis;
using System.Net;
using Cerver.Bench.Faults;

namespace Cerver.Bench;

/// <summary>A gateway that runs already.</summary>
/// <param name="Endpoint">Its address.</param>
/// <param name="Token">The account's key.</param>
internal sealed record BenchTarget(IPEndPoint Endpoint, string Token);

/// <summary>What was asked for on the command line.</summary>
/// <param name="Cases">The names of the cases.</param>
/// <param name="JsonPath">Where to write the figures as JSON, or null.</param>
/// <param name="Target">The gateway to measure, or null to start one.</param>
/// <param name="Quick">Whether to measure little, only to see that everything works.</param>
internal sealed record BenchOptions(IReadOnlyList<string> Cases, string? JsonPath, BenchTarget? Target, bool Quick)
{
    /// <summary>Reads the command line; <paramref name="complaint"/> says what is wrong with it and what is right.</summary>
    public static bool TryParse(
        string[] arguments,
        IReadOnlyList<string> known,
        [NotNullWhen(true)] out BenchOptions? options,
        [NotNullWhen(false)] out string? complaint)
    {
        options = null;
        var cases = new List<string>();
        string? json = null, url = null, token = null;
        var quick = false;
        var rest = new Queue<string>(arguments);
        while (rest.TryDequeue(out var argument))
        {
            switch (argument)
            {
                case "--quick": quick = true; break;
                case "--json" when rest.TryDequeue(out json): break;
                case "--url" when rest.TryDequeue(out url): break;
                case "--token" when rest.TryDequeue(out token): break;
                case "all": cases.AddRange(known); break;
                case var name when known.Contains(name, StringComparer.Ordinal): cases.Add(name); break;
                default: return Complain($"'{argument}' is not understood.", known, out complaint);
            }
        }

        if (cases.Count == 0)
        {
            return Complain("There is nothing to measure.", known, out complaint);
        }

        if ((url is null) != (token is null))
        {
            return Complain("--url and --token belong together.", known, out complaint);
        }

        BenchTarget? target = null;
        if (url is not null && token is not null && !TryParseTarget(url, token, out target))
        {
            return Complain("--url takes an address such as http://127.0.0.1:8080.", known, out complaint);
        }

        options = new(cases, json, target, quick);
        complaint = null;
        return true;
    }

    private static bool TryParseTarget(string url, string token, [NotNullWhen(true)] out BenchTarget? target)
    {
        target = Uri.TryCreate(url, UriKind.Absolute, out var uri)
            && string.Equals(uri.Scheme, Uri.UriSchemeHttp, StringComparison.Ordinal)
            && IPAddress.TryParse(string.Equals(uri.Host, "localhost", StringComparison.Ordinal) ? "127.0.0.1" : uri.Host, out var address)
            ? new(new(address, uri.Port), token)
            : null;
        return target is not null;
    }

    private static bool Complain(string what, IReadOnlyList<string> known, out string complaint)
    {
        complaint = $"""
            {what}

            dotnet run -c Release --project Cerver.Bench -- CASE... [--json FILE] [--quick] [--url http://ADDRESS:PORT --token TOKEN]

              CASE     {string.Join(", ", known)}, or all
              --json   write the figures to this file too
              --quick  measure little, only to see that everything works
              --url    measure this gateway, which keeps the sessions that are made; else each case starts its own

            Instead of a case, '{CrashOptions.Command}' kills a gateway again and again and '{CrashCommand.Check} FILE' checks a history that it wrote.
            """;
        return false;
    }
}
