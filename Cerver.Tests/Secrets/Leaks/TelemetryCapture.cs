using System.Collections.Concurrent;
using System.Diagnostics;
using System.Diagnostics.Metrics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Cerver.Tests.Secrets.Leaks;

/// <summary>Everything that this process says of itself: log lines of every level with their fields, spans and measurements with their tags.</summary>
internal sealed class TelemetryCapture : ILoggerProvider
{
    private readonly ConcurrentQueue<string> _lines = new();
    private readonly ActivityListener _spans;
    private readonly MeterListener _meters = new();
    private volatile string _address = "none yet";

    public TelemetryCapture()
    {
        _spans = new ActivityListener
        {
            ShouldListenTo = static _ => true,
            Sample = static (ref _) => ActivitySamplingResult.AllDataAndRecorded,
            ActivityStopped = span => Add(span, $"{span.DisplayName} {span.StatusDescription} {Join(span.TagObjects)} {string.Join(' ', span.Baggage)} {string.Join(' ', span.Events.Select(static happened => $"{happened.Name} {Join(happened.Tags)}"))}"),
        };
        ActivitySource.AddActivityListener(_spans);
        _meters.InstrumentPublished = static (instrument, listener) => listener.EnableMeasurementEvents(instrument);
        _meters.SetMeasurementEventCallback<double>((instrument, _, tags, _) => Measured(instrument, tags));
        _meters.SetMeasurementEventCallback<long>((instrument, _, tags, _) => Measured(instrument, tags));
        _meters.SetMeasurementEventCallback<int>((instrument, _, tags, _) => Measured(instrument, tags));
        _meters.Start();
    }

    /// <summary>All that was said.</summary>
    public string Text => string.Join('\n', _lines);

    /// <summary>Listens to the log of a gateway.</summary>
    /// <param name="services">The gateway's.</param>
    /// <param name="address">Where it listens. Whoever asks it there is the test, whose own spans say what it asks.</param>
    public void ListenTo(IServiceProvider services, Uri address)
    {
        _address = address.ToString();
        services.GetRequiredService<ILoggerFactory>().AddProvider(this);
    }

    public ILogger CreateLogger(string categoryName) => new Logger(_lines, categoryName);

    public void Dispose()
    {
        _spans.Dispose();
        _meters.Dispose();
    }

    private void Add(Activity span, string line)
    {
        if (span.Kind != ActivityKind.Client || span.GetTagItem("url.full") is not string url || !url.StartsWith(_address, StringComparison.Ordinal))
        {
            _lines.Enqueue(line);
        }
    }

    private void Measured(Instrument instrument, ReadOnlySpan<KeyValuePair<string, object?>> tags) => _lines.Enqueue($"{instrument.Name} {Join(tags.ToArray())}");

    private static string Join(IEnumerable<KeyValuePair<string, object?>> tags) => string.Join(' ', tags.Select(static tag => $"{tag.Key}={tag.Value}"));

    private sealed class Logger(ConcurrentQueue<string> lines, string category) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull
        {
            lines.Enqueue($"{category} in {state}");
            return null;
        }

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            lines.Enqueue($"{category} {formatter(state, exception)} {(state is IEnumerable<KeyValuePair<string, object?>> fields ? Join(fields) : "")} {exception}");
    }
}
