using System.ComponentModel.DataAnnotations;
using System.Text.Json.Serialization;
using Cerver.Api.Requests;
using Cerver.Computes;
using Cerver.Errors;

namespace Cerver.Api.Computes.Machines;

/// <summary>What a machine says of itself when it registers. Members that hold tokens are dropped.</summary>
public sealed record RegisterMachineBody
{
    private const string Transport = "cerver_connect";

    /// <summary>The id that the machine has chosen and keeps: <c>comp_</c> and up to 59 letters, digits, <c>_</c> and <c>-</c>, usually 16 hexadecimal digits.</summary>
    [Required]
    public string? ComputeId { get; set; }

    /// <summary>For people, at most 200 characters; the id when it is left out.</summary>
    public string? Label { get; set; }

    /// <summary>What it is, a word of at most 64 characters; <c>host</c> when it is left out.</summary>
    public string? Kind { get; set; }

    /// <summary>Always <c>cerver_local_provider</c>; may be left out.</summary>
    [AllowedValues(MachineKey.Provider)]
    public string? Provider { get; set; }

    /// <summary>What it can do, at most 64 KiB: <c>runtimes</c>, <c>cli_tools</c> and more that is kept as it is.</summary>
    [JsonConverter(typeof(JsonObjectConverter))]
    public string? Capabilities { get; set; }

    /// <summary>What else it says of itself, at most 64 KiB.</summary>
    [JsonConverter(typeof(JsonObjectConverter))]
    public string? Metadata { get; set; }

    /// <summary>How it is reached.</summary>
    public MachineConnectionBody? Connection { get; set; }

    /// <summary>The machine, and what it says.</summary>
    /// <exception cref="CerverException"><see cref="CerverError.InvalidRequest"/> names the field at fault.</exception>
    internal (string ComputeId, RegisterMachine Request) Read()
    {
        if (ComputeId is null || !Ids.IsMachine(ComputeId))
        {
            throw Refuse("compute_id", "must be 'comp_' and up to 59 letters, digits, '_' and '-'. The machine chooses it once and keeps it.");
        }

        if (Provider is not (null or MachineKey.Provider))
        {
            throw Refuse("provider", $"must be '{MachineKey.Provider}', or be left out.");
        }

        return Connection?.Transport is null or Transport
            ? (ComputeId, new(Label, Kind, Capabilities, Metadata))
            : throw Refuse("connection.transport", $"must be '{Transport}': the machine dials in to '{MachineChannelEndpoint.Path}'.");
    }

    private static CerverException Refuse(string field, string rule) => new(CerverError.InvalidRequest, $"'{field}' {rule}", field);
}

/// <summary>How a machine is reached. What else stands there is neither read nor kept.</summary>
public sealed record MachineConnectionBody
{
    /// <summary>Always <c>cerver_connect</c>: it dials in.</summary>
    [AllowedValues("cerver_connect")]
    public string? Transport { get; set; }
}

/// <summary>What a machine says every minute. What is left out is as it was.</summary>
public sealed record HeartbeatBody
{
    /// <summary>A word of its own, at most 64 characters. <c>offline</c> and <c>unconfigured</c> mean that it cannot be used, and any other word that it can.</summary>
    public string? Status { get; set; }

    /// <summary>What it can do now, at most 64 KiB.</summary>
    [JsonConverter(typeof(JsonObjectConverter))]
    public string? Capabilities { get; set; }

    /// <summary>What else it says of itself now, at most 64 KiB.</summary>
    [JsonConverter(typeof(JsonObjectConverter))]
    public string? Metadata { get; set; }
}
