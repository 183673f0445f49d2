using System.Globalization;
using System.Text;

namespace Cerver.Bench.Reports;

/// <summary>The figures of a case as a table for people.</summary>
internal static class ReportTable
{
    /// <summary>Lays out what was measured for a case.</summary>
    public static string Of(string caseName, Report report)
    {
        var figures = report.Figures(caseName);
        var width = figures.Max(figure => figure.Name.Length);
        var table = new StringBuilder()
            .AppendLine(Row(caseName.PadRight(width), "median", "min", "max", "unit", "target"));
        foreach (var figure in figures)
        {
            var target = figure is { Target: { } bound, TargetMet: { } met } ? $"{bound} {(met ? "met" : "MISSED")}" : string.Empty;
            table.AppendLine(
                Row(figure.Name.PadRight(width), Short(figure.Median), Short(figure.Min), Short(figure.Max), figure.Unit, target));
        }

        return table.ToString();
    }

    private static string Row(string name, string median, string min, string max, string unit, string target) =>
        $"{name}  {median,10} {min,10} {max,10}  {unit,-12} {target}".TrimEnd();

    private static string Short(double value) => value.ToString(
        value switch { >= 100 => "#,0", >= 10 => "0.0", >= 1 => "0.00", _ => "0.000" },
        CultureInfo.InvariantCulture);
}
