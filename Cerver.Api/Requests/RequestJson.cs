using System.Text.Json.Serialization;
using Cerver.Api.Computes.Machines;
using Cerver.Api.Mcp;
using Cerver.Api.Runs;
using Cerver.Api.Secrets.Vaults;
using Cerver.Api.Sessions;

namespace Cerver.Api.Requests;

/// <summary>How request bodies are read.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    GenerationMode = JsonSourceGenerationMode.Metadata,
    AllowDuplicateProperties = false,
    MaxDepth = RequestBody.MaxDepth,
    Converters = [typeof(BooleanConverter), typeof(TextConverter)])]
[JsonSerializable(typeof(AppendBody))]
[JsonSerializable(typeof(ChangeComputeBody))]
[JsonSerializable(typeof(CreateSessionBody))]
[JsonSerializable(typeof(EndArguments))]
[JsonSerializable(typeof(ExportArguments))]
[JsonSerializable(typeof(HeartbeatBody))]
[JsonSerializable(typeof(InfisicalVaultBody))]
[JsonSerializable(typeof(InputBody))]
[JsonSerializable(typeof(ReportStatusBody))]
[JsonSerializable(typeof(ListArguments))]
[JsonSerializable(typeof(NoArguments))]
[JsonSerializable(typeof(PeekArguments))]
[JsonSerializable(typeof(PrioritizeComputeBody))]
[JsonSerializable(typeof(RegisterMachineBody))]
[JsonSerializable(typeof(ResumeBody))]
[JsonSerializable(typeof(RunBody))]
[JsonSerializable(typeof(SearchArguments))]
[JsonSerializable(typeof(SecretArguments))]
[JsonSerializable(typeof(UpdateSessionBody))]
internal sealed partial class RequestJson : JsonSerializerContext;
