using System.Globalization;
using Cerver.Bench.Gateways;
using Cerver.Bench.Load;
using Cerver.Bench.Reports;

namespace Cerver.Bench.Sessions;

/// <summary>One and the same question to a small, a middle and a large history, in turn; it should cost the same everywhere.</summary>
internal sealed class SizeComparison : IAsyncDisposable
{
    private const double CostGrowthLimit = 1.3;

    private readonly List<(int Size, LoadGenerator Load)> _questions = [];

    /// <summary>Adds the question to a history of this size; the smallest comes first.</summary>
    public async Task AddAsync(int size, Gateway gateway, ReadOnlyMemory<byte> request, CancellationToken cancellationToken) =>
        _questions.Add((size, await LoadGenerator.OpenAsync(gateway.Endpoint, [request], cancellationToken)));

    /// <summary>Asks and adds to the report what it costs, and how that compares with the smallest.</summary>
    public async Task MeasureAsync(Workbench bench, string caseName, string unitOfSize, CancellationToken cancellationToken)
    {
        var duration = TimeSpan.FromMilliseconds(bench.Options.Quick ? 100 : 400);
        var milliseconds = _questions.ConvertAll(_ => new List<double>());
        foreach (var (_, load) in _questions)
        {
            await load.SendAsync(duration * 5, cancellationToken);
        }

        for (var round = 0; round < bench.ShortRounds; round++)
        {
            for (var question = 0; question < _questions.Count; question++)
            {
                var result = await _questions[question].Load.SendAsync(duration, cancellationToken);
                milliseconds[question].Add(result.Milliseconds(0.5));
            }
        }

        Figure? smallest = null;
        foreach (var (size, rounds) in _questions.Select(question => question.Size).Zip(milliseconds))
        {
            var name = string.Create(CultureInfo.InvariantCulture, $"{caseName} of {size:#,0} {unitOfSize}");
            var figure = new Figure(name, "ms", rounds);
            bench.Report.Add(caseName, figure);
            if (smallest is not null)
            {
                bench.Report.Add(caseName, Figure.Ratio(figure, smallest, Bound.AtMost(CostGrowthLimit)));
            }

            smallest ??= figure;
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        foreach (var (_, load) in _questions)
        {
            await load.DisposeAsync();
        }
    }
}
