namespace Cerver.Bench.Histories;

/// <summary>The ways in which something is done to a gateway.</summary>
internal enum FaultKind
{
    /// <summary>SIGKILL for a gateway that is one process.</summary>
    GatewayKill = 1,

    /// <summary>SIGKILL for one of several silos.</summary>
    SiloKill = 2,

    /// <summary>SIGKILL for one of several front doors.</summary>
    FrontDoorKill = 3,

    /// <summary>A silo that is frozen for so long that the others give it up, and then goes on.</summary>
    SiloHang = 4,

    /// <summary>The database is restarted by its operator.</summary>
    DatabaseRestart = 5,

    /// <summary>The database is restarted as after a loss of power.</summary>
    DatabaseCrash = 6,

    /// <summary>SIGTERM for one silo, which is started again when it is gone.</summary>
    SiloStop = 7,

    /// <summary>SIGTERM for every silo, one after the other.</summary>
    RollingRestart = 8,

    /// <summary>Everything is gone at once, the database included.</summary>
    PowerLoss = 9,
}

/// <summary>What is promised for each kind.</summary>
internal static class FaultKinds
{
    /// <summary>Within this time after a fault is healed every session must take appends again.</summary>
    public static TimeSpan RecoveryLimit(this FaultKind kind) => kind switch
    {
        FaultKind.GatewayKill or FaultKind.SiloHang or FaultKind.PowerLoss => TimeSpan.FromSeconds(10),
        _ => TimeSpan.FromSeconds(5),
    };

    /// <summary>Whether nobody who uses the gateway may get a failure from it.</summary>
    public static bool IsGraceful(this FaultKind kind) => kind is FaultKind.SiloStop or FaultKind.RollingRestart;

    /// <summary>Whether runs may be lost to it: their sandboxes are gone, or their output could not be stored.</summary>
    public static bool LosesRuns(this FaultKind kind) => !kind.IsGraceful() && kind != FaultKind.FrontDoorKill;

    /// <summary>Whether others go on meanwhile, so that everything that is promised counts from the beginning of the fault and not from its end.</summary>
    public static bool LeavesOthers(this FaultKind kind) => kind is FaultKind.SiloKill or FaultKind.FrontDoorKill or FaultKind.SiloHang;
}
