namespace Cerver.Grains.Upkeep;

/// <summary>One thing that is done every hour, such as to remove what nobody needs any more. It may be repeated at any time.</summary>
internal interface IUpkeep
{
    /// <summary>Does it. What is left over when it is cancelled is done the next time.</summary>
    Task RunAsync(CancellationToken cancellationToken);
}
