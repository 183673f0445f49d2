using Cerver.Api.Hosting;
using Cerver.Api.Mcp.Stdio;

return args is ["mcp", .. var settings] ? await BridgeProgram.RunAsync(settings) : await FrontDoor.RunAsync(args);
