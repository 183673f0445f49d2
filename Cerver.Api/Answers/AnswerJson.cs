using System.Text.Json.Serialization;
using Cerver.Api.Computes;
using Cerver.Api.Errors;
using Cerver.Api.Files;
using Cerver.Api.Meta;
using Cerver.Api.Runs;
using Cerver.Api.Secrets;
using Cerver.Api.Secrets.Vaults;
using Cerver.Api.Sessions;
using Cerver.Api.Sessions.Importing;
using Cerver.Sessions;

namespace Cerver.Api.Answers;

/// <summary>How answers are written.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    GenerationMode = JsonSourceGenerationMode.Metadata,
    Converters = [typeof(SessionRecordConverter)])]
[JsonSerializable(typeof(ComputeAnswer))]
[JsonSerializable(typeof(ComputeDeleted))]
[JsonSerializable(typeof(ComputeListAnswer))]
[JsonSerializable(typeof(EntriesAppended))]
[JsonSerializable(typeof(ErrorBody))]
[JsonSerializable(typeof(FileDeleted))]
[JsonSerializable(typeof(FileListAnswer))]
[JsonSerializable(typeof(FileWritten))]
[JsonSerializable(typeof(GatewayInfo))]
[JsonSerializable(typeof(HealthAnswer))]
[JsonSerializable(typeof(InfisicalVaultAnswer))]
[JsonSerializable(typeof(InfisicalVaultDeleted))]
[JsonSerializable(typeof(InfisicalVaultListAnswer))]
[JsonSerializable(typeof(InputAccepted))]
[JsonSerializable(typeof(StatusTaken))]
[JsonSerializable(typeof(RunAnswer))]
[JsonSerializable(typeof(RunListAnswer))]
[JsonSerializable(typeof(SecretAccessListAnswer))]
[JsonSerializable(typeof(SecretAnswer))]
[JsonSerializable(typeof(SecretListAnswer))]
[JsonSerializable(typeof(SessionClosed))]
[JsonSerializable(typeof(SessionCreated))]
[JsonSerializable(typeof(SessionImported))]
[JsonSerializable(typeof(SessionListAnswer))]
[JsonSerializable(typeof(SessionMetricsAnswer))]
[JsonSerializable(typeof(SessionRecord))]
internal sealed partial class AnswerJson : JsonSerializerContext;
