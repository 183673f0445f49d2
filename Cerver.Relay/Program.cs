using Cerver.Relay;

return await RelayProgram.RunAsync(args);
