using System.Runtime.InteropServices;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Cerver.Bench.Reports;

/// <summary>The figures of one call of the bench.</summary>
/// <param name="quick">Whether little was measured, so that the figures say nothing.</param>
internal sealed class Report(bool quick)
{
    // Units and ratios are for people to read.
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        WriteIndented = true,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    private readonly OrderedDictionary<string, List<Figure>> _cases = [];

    /// <summary>Adds a figure to those of a case.</summary>
    public void Add(string caseName, Figure figure)
    {
        if (!_cases.TryGetValue(caseName, out var figures))
        {
            _cases.Add(caseName, figures = []);
        }

        figures.Add(figure);
    }

    /// <summary>The figures of a case in the order in which they were added.</summary>
    public IReadOnlyList<Figure> Figures(string caseName) => _cases.GetValueOrDefault(caseName, []);

    /// <summary>Writes everything to a file, replacing it.</summary>
    public async Task WriteJsonAsync(string path)
    {
        await using var file = File.Create(path);
        await JsonSerializer.SerializeAsync(
            file,
            new
            {
                At = TimeProvider.System.GetUtcNow(),
                Processors = Environment.ProcessorCount,
                System = RuntimeInformation.OSDescription,
                Runtime = RuntimeInformation.FrameworkDescription,
                Quick = quick,
                Cases = _cases,
            },
            Json);
    }
}
