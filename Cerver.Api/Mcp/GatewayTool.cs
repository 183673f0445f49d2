using System.Security.Claims;
using Cerver.Api.Accounts;
using Microsoft.Extensions.Logging;
using ModelContextProtocol.Protocol;
using ModelContextProtocol.Server;

namespace Cerver.Api.Mcp;

/// <summary>One tool: checks what it is called with, and turns whatever goes wrong into an answer that says what to do next.</summary>
/// <param name="tool">What clients are told of it.</param>
/// <param name="handler">What it does.</param>
/// <param name="loggers">Where failures go that are nobody's mistake.</param>
internal sealed class GatewayTool<TArguments>(Tool tool, ToolHandler<TArguments> handler, ILoggerFactory loggers) : McpServerTool
    where TArguments : class
{
    private readonly ToolSchema _schema = new(tool.InputSchema);
    private readonly ToolFailures _failures = new(loggers.CreateLogger<ToolFailures>());

    public override Tool ProtocolTool => tool;

    public override IReadOnlyList<object> Metadata => [];

    public override async ValueTask<CallToolResult> InvokeAsync(RequestContext<CallToolRequestParams> request, CancellationToken cancellationToken = default)
    {
        try
        {
            var caller = Caller.Of(request.User);
            var call = new ToolCall(request, caller, _schema.CheckArguments(request.Params.Arguments));
            return await handler(call.Read<TArguments>(), call, cancellationToken);
        }
        catch (Exception failure) when (!cancellationToken.IsCancellationRequested)
        {
            return _failures.Answer(tool.Name, failure);
        }
    }
}
