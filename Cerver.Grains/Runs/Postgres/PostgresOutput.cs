using Cerver.Errors;
using Cerver.Grains.Storage.Postgres;
using Cerver.Runs;

namespace Cerver.Grains.Runs.Postgres;

/// <summary>Output of a run, as rows.</summary>
internal sealed class PostgresOutput(string sessionId, string runId, ImmutableArray<RunChunk> chunks)
    : PostgresChange(sessionId, operation: null, chunks.Sum(static chunk => chunk.Data.Length + 64))
{
    /// <inheritdoc/>
    public override CerverException Refusal(bool sessionExists) => sessionExists
        ? new CerverException(CerverError.Conflict, "The run is over.")
        : new CerverException(CerverError.NotFound, "There is no such session in this account.");

    /// <inheritdoc/>
    public override void AddTo(PostgresBatch batch, long ordinal)
    {
        batch.Row("Runs/Postgres/append_output.sql").Number(ordinal).Text(SessionId).Text(runId).Number(chunks.Length).Number(chunks[0].Sequence);
        foreach (var chunk in chunks)
        {
            batch.Row("Runs/Postgres/insert_output.sql").Text(SessionId).Text(runId).Number(chunk.Sequence).Number((long)chunk.Kind).Bytes(chunk.Data);
        }
    }
}
