using Cerver.Tests.Computes;
using Cerver.Tests.Mcp;

namespace Cerver.Tests;

/// <summary>What must be a process of its own: <c>dotnet Cerver.Tests.dll mcp PORT</c> is a <see cref="SuiteServer"/>, anything else a <see cref="SandboxHolder"/>.</summary>
internal static class TestProgram
{
    public static Task Main(string[] arguments) => arguments is ["mcp", var port] ? SuiteServer.RunAsync(port) : SandboxHolder.RunAsync(arguments);
}
