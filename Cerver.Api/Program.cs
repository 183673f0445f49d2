using Cerver.Api.Hosting;

return await FrontDoor.RunAsync(args);
