using Cerver.Api.Hosting;

namespace Cerver.Silo.Standalone;

/// <summary>What a person reads when the gateway is up.</summary>
internal static class Banner
{
    /// <summary>Prints the address, where the token is and a first call.</summary>
    public static void Print(WebApplication app, TextWriter output)
    {
        var address = app.Urls.FirstOrDefault() ?? "";
        if (ClusterSettings.StorageIn(app.Configuration) == StorageKind.Postgres)
        {
            output.WriteLine($"Cerver's silo is up at {address}");
            return;
        }

        var data = app.Services.GetRequiredService<DataDirectory>();
        var given = app.Configuration["CERVER_API_TOKEN"] is { Length: > 0 };
        output.WriteLine($"""
            Cerver is up at {address}
              data    {data.Path}
              token   {(given ? "the one in CERVER_API_TOKEN" : data.TokenPath)}
              pages   {address}/docs

            A first session:
              curl -sS -X POST {address}/v2/sessions -H "Authorization: Bearer {(given ? "$CERVER_API_TOKEN" : $"$(cat {data.TokenPath})")}"
            """);
    }
}
