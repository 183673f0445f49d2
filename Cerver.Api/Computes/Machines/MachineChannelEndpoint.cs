using Cerver.Api.Accounts;
using Cerver.Errors;

namespace Cerver.Api.Computes.Machines;

/// <summary>Where machines dial in.</summary>
internal static class MachineChannelEndpoint
{
    public const string Path = "/v2/connect/ws";

    private const string ComputeField = "compute_id";

    /// <summary>A socket is no operation of the API reference; docs/api-contract.md has what goes over it.</summary>
    public static void MapMachineChannel(this IEndpointRouteBuilder routes) =>
        routes.MapGet(Path, Connect).RequireAuthorization().WithMetadata(new TokenInQuery("token"))
            .WithSummary("Takes the WebSocket on which a machine is reached.")
            .ExcludeFromDescription();

    private static Task Connect(HttpContext context, Caller caller, IClusterClient cluster, MachineSockets sockets)
    {
        if (!context.WebSockets.IsWebSocketRequest)
        {
            throw new CerverException(CerverError.InvalidRequest, "This address is for the WebSocket of a machine; open it as one.");
        }

        return context.Request.Query[ComputeField] is [{ Length: > 0 } computeId]
            ? sockets.ServeAsync(context, caller.Machine(cluster, computeId), caller.AccountId, computeId)
            : throw new CerverException(CerverError.InvalidRequest, $"'{ComputeField}' must be the id of a machine that was registered.", ComputeField);
    }
}
