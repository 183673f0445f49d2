using Cerver.Bench.Gateways;

namespace Cerver.Bench.Search;

/// <summary>Searches over a million entries in SQLite, and what the index costs an append.</summary>
internal sealed class SearchCase : IBenchCase
{
    /// <inheritdoc/>
    public string Name => "search";

    /// <inheritdoc/>
    public async Task MeasureAsync(Workbench bench, CancellationToken cancellationToken)
    {
        var load = new SearchLoad(bench, Name);
        await using var gateway = await bench.OwnGatewayAsync(Name, cancellationToken);
        await using (var plain = await Gateway.StartAsync(bench.Repository, cancellationToken, "--Cerver:Search:Enabled", "false"))
        {
            await load.MeasureAppendsAsync(gateway, plain, cancellationToken);
        }

        var session = await load.FillAsync(gateway, cancellationToken);
        await load.MeasureSearchesAsync(gateway, session, cancellationToken);
    }
}
