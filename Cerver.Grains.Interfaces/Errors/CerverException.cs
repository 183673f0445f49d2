using Cerver.Computes;

namespace Cerver.Errors;

/// <summary>The one exception that crosses a grain call: a refusal with a code and a sentence for people.</summary>
/// <remarks>The message says what to do and carries no secret, key or vendor text.</remarks>
[GenerateSerializer, Alias("cerver.exception")]
public sealed class CerverException : Exception
{
    /// <summary>Refuses a call.</summary>
    /// <param name="code">The word callers switch on.</param>
    /// <param name="message">One sentence for people.</param>
    /// <param name="field">The request field at fault, in wire spelling (<c>entries[0].content</c>), if there is one.</param>
    /// <param name="report">What each compute lacks, with <see cref="CerverError.NoCompute"/>.</param>
    /// <param name="transcriptTotal">How long the transcript is, when another length was expected.</param>
    public CerverException(CerverError code, string message, string? field = null, ComputeReport? report = null, long? transcriptTotal = null)
        : base(message)
    {
        Code = code;
        Field = field;
        Report = report;
        TranscriptTotal = transcriptTotal;
    }

    /// <summary>Why the call was refused.</summary>
    [Id(0)]
    public CerverError Code { get; private set; }

    /// <summary>The request field at fault, in wire spelling, or null.</summary>
    [Id(1)]
    public string? Field { get; private set; }

    /// <summary>What each compute lacks; only with <see cref="CerverError.NoCompute"/>.</summary>
    [Id(2)]
    public ComputeReport? Report { get; private set; }

    /// <summary>How many entries the transcript has; only when an append expected another number.</summary>
    [Id(3)]
    public long? TranscriptTotal { get; private set; }
}
