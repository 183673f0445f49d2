using System.Text.Json.Serialization;
using Cerver.Sessions;

namespace Cerver.Grains.Sessions;

/// <summary>How the results of operations are kept until a caller asks again. Members may be added to them and are not renamed.</summary>
[JsonSerializable(typeof(SessionRecord))]
[JsonSerializable(typeof(SessionStatus))]
[JsonSerializable(typeof(long))]
[JsonSerializable(typeof(string))]
internal sealed partial class SessionResults : JsonSerializerContext;
