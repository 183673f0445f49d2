namespace Cerver.Upkeep;

/// <summary>What has to be done from time to time, whoever calls or does not call. There is one, with the key 0.</summary>
[Alias("cerver.upkeep"), GrainInterfaceType("cerver.upkeep")]
public interface IUpkeepGrain : IGrainWithIntegerKey
{
    /// <summary>Sees to it that upkeep happens every hour from now on, also after a restart. Repeating it is fine.</summary>
    [Alias("begin")]
    Task BeginAsync(CancellationToken cancellationToken = default);

    /// <summary>Does now what is done every hour. A piece that fails is told to the operator and keeps no other from being done.</summary>
    [Alias("run"), ResponseTimeout("00:15:00")]
    Task RunAsync(CancellationToken cancellationToken = default);
}
