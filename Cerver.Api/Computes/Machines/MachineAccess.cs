using System.Text.Json.Nodes;

namespace Cerver.Api.Computes.Machines;

/// <summary>How a machine reaches the gateway: as it did when it dialled in.</summary>
/// <param name="Address">The address that it dialled.</param>
/// <param name="Token">The token that it dialled in with. It is in the memory of this front door alone.</param>
internal sealed record MachineAccess(string Address, string Token)
{
    /// <summary>A body with it in its <c>metadata</c>.</summary>
    public string AddTo(string body)
    {
        var whole = JsonNode.Parse(body)!.AsObject();
        var metadata = whole["metadata"] as JsonObject ?? [];
        metadata["cerver_url"] = Address;
        metadata["cerver_api_token"] = Token;
        whole["metadata"] = metadata;
        return whole.ToJsonString();
    }

    /// <summary>Without the token.</summary>
    public override string ToString() => Address;
}
