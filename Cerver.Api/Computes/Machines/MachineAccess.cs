using System.Text;
using System.Text.Json.Nodes;

namespace Cerver.Api.Computes.Machines;

/// <summary>How a machine reaches the gateway: as it did when it dialled in.</summary>
/// <param name="Address">The address that it dialled.</param>
/// <param name="Token">The token that it dialled in with. It is in the memory of this front door alone.</param>
internal sealed record MachineAccess(string Address, string Token)
{
    private readonly byte[] _token = Encoding.UTF8.GetBytes(Token);

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

    /// <summary>Overwrites the token in what a machine sends: its relay may repeat what it was told, and that goes on to others.</summary>
    public void Hide(Span<byte> text)
    {
        for (var at = text.IndexOf(_token); at >= 0; at = text.IndexOf(_token))
        {
            text.Slice(at, _token.Length).Fill((byte)'*');
            text = text[(at + _token.Length)..];
        }
    }

    /// <summary>Without the token.</summary>
    public override string ToString() => Address;
}
