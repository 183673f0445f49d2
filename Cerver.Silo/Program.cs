using Cerver.Silo;

return await GatewayProgram.RunAsync(args);
