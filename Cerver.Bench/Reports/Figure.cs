using System.Globalization;

namespace Cerver.Bench.Reports;

/// <summary>Something measured in several rounds.</summary>
internal sealed class Figure
{
    private readonly double[] _sorted;

    /// <summary>Makes a figure of the values of its rounds.</summary>
    /// <param name="name">What was measured.</param>
    /// <param name="unit">Its unit.</param>
    /// <param name="rounds">A value for each round, at least one.</param>
    /// <param name="target">What it should be, or null when it only stands for comparison.</param>
    public Figure(string name, string unit, IReadOnlyList<double> rounds, Bound? target = null)
    {
        if (rounds.Count == 0)
        {
            throw new ArgumentException("A figure needs a round.", nameof(rounds));
        }

        Name = name;
        Unit = unit;
        Rounds = rounds;
        Target = target;
        _sorted = [.. rounds.Order()];
    }

    /// <summary>What was measured.</summary>
    public string Name { get; }

    /// <summary>Its unit.</summary>
    public string Unit { get; }

    /// <summary>The values in the order in which they were measured.</summary>
    public IReadOnlyList<double> Rounds { get; }

    /// <summary>What it should be, or null.</summary>
    public Bound? Target { get; }

    /// <summary>The middle of the rounds, or of an even number the mean of the two middle ones.</summary>
    public double Median => (_sorted[(_sorted.Length - 1) / 2] + _sorted[_sorted.Length / 2]) / 2;

    /// <summary>The smallest value.</summary>
    public double Min => _sorted[0];

    /// <summary>The largest value.</summary>
    public double Max => _sorted[^1];

    /// <summary>Whether the median is within the target; null without one.</summary>
    public bool? TargetMet => Target?.Holds(Median);

    /// <summary>Divides two figures round by round, so that what slows the machine for a while cancels out.</summary>
    public static Figure Ratio(Figure measured, Figure comparison, Bound? target = null) => new(
        $"{measured.Name} / {comparison.Name}",
        "×",
        [.. measured.Rounds.Zip(comparison.Rounds, (value, compared) => value / compared)],
        target);
}

/// <summary>A limit on one side, inclusive.</summary>
internal sealed class Bound
{
    private Bound(bool isLowest, double limit)
    {
        IsLowest = isLowest;
        Limit = limit;
    }

    /// <summary>Whether values must be above the limit; else below it.</summary>
    public bool IsLowest { get; }

    /// <summary>The limit.</summary>
    public double Limit { get; }

    /// <summary>This or more.</summary>
    public static Bound AtLeast(double limit) => new(isLowest: true, limit);

    /// <summary>This or less.</summary>
    public static Bound AtMost(double limit) => new(isLowest: false, limit);

    /// <summary>Whether the value is within it.</summary>
    public bool Holds(double value) => IsLowest ? value >= Limit : value <= Limit;

    /// <inheritdoc/>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{(IsLowest ? '≥' : '≤')} {Limit}");
}
