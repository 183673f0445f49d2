using Cerver.Runs;
using Orleans.Configuration;
using Orleans.Hosting;

namespace Cerver.Api.Hosting;

/// <summary>How a front door joins a cluster.</summary>
internal static class ClusterClient
{
    /// <summary>The name by which the ADO.NET providers know PostgreSQL.</summary>
    public const string Invariant = "Npgsql";

    /// <summary>
    /// A call that was under way to a silo that died is lost without a word. It is repeated after this, and so are calls that take longer
    /// for good reasons: those wait behind the first attempt and get what it came to.
    /// </summary>
    public static TimeSpan ResponseTimeout { get; } = TimeSpan.FromSeconds(3);

    /// <summary>How long a silo that hangs is still chosen, at most.</summary>
    private static readonly TimeSpan GatewayRefresh = TimeSpan.FromSeconds(2);

    private static readonly TimeSpan ConnectPause = TimeSpan.FromMilliseconds(500);

    /// <summary>Sets up the client. It looks for silos for as long as there are none.</summary>
    public static void JoinCluster(this IClientBuilder client, ClusterSettings settings, string connection)
    {
        client.Configure<ClusterOptions>(options =>
        {
            options.ClusterId = settings.ClusterId;
            options.ServiceId = settings.ServiceId;
        });
        client.UseAdoNetClustering(options =>
        {
            options.Invariant = Invariant;
            options.ConnectionString = connection;
        });
        client.Configure<GatewayOptions>(options => options.GatewayListRefreshPeriod = GatewayRefresh);
        client.Configure<ClientMessagingOptions>(options =>
        {
            options.ResponseTimeout = ResponseTimeout;

            // What was begun is finished, so that its repetition finds what it came to.
            options.CancelRequestOnTimeout = false;
        });
        client.UseConnectionRetryFilter(static async (_, cancellationToken) =>
        {
            await Task.Delay(ConnectPause, cancellationToken);
            return true;
        });

        // It only listens; silos alone write.
        client.AddMemoryStreams(RunStreams.Provider);
    }
}
