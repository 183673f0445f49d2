using Cerver.Tests.Computes;
using Cerver.Tests.Mcp;
using Cerver.Tests.Secrets.Backends;

namespace Cerver.Tests;

/// <summary>
/// What must be a process of its own: <c>dotnet Cerver.Tests.dll mcp PORT</c> is a <see cref="SuiteServer"/>, <c>secrets PORT PORT</c> are the
/// <see cref="BackendServers"/>, anything else a <see cref="SandboxHolder"/>.
/// </summary>
internal static class TestProgram
{
    public static Task Main(string[] arguments) => arguments switch
    {
        ["mcp", var port] => SuiteServer.RunAsync(port),
        ["secrets", var infisical, var vault] => BackendServers.RunAsync(infisical, vault),
        _ => SandboxHolder.RunAsync(arguments),
    };
}
