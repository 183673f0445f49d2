using System.Collections.ObjectModel;
using System.Text;
using Cerver.Api.Accounts;
using Cerver.Api.Secrets;
using Cerver.Computes;
using Cerver.Errors;
using Cerver.Runs;

namespace Cerver.Api.Runs;

/// <summary>Turns the body of a run call into what grains know.</summary>
internal static class RunReader
{
    private const int MaxEnvironmentBytes = 64 * 1_024;

    /// <summary>The run that is asked for.</summary>
    /// <exception cref="CerverException">
    /// <see cref="CerverError.InvalidRequest"/> names the field at fault; <see cref="CerverError.PayloadTooLarge"/> for too large an
    /// environment.
    /// </exception>
    public static StartRun Read(RunBody body, string runId, Caller caller) => new(
        runId,
        string.IsNullOrEmpty(body.Code) ? throw Refuse("code", "must be a text that is not empty.") : body.Code,
        body.Runtime is null ? null : ComputeRequirements.ParseRuntime(body.Runtime, "runtime"),
        body.Timeout is { } seconds ? TimeSpan.FromSeconds(seconds) : null,
        ReadEnvironment(body),
        SecretNames.Read(body.Secrets),
        caller.Key);

    private static ImmutableDictionary<string, string> ReadEnvironment(RunBody body)
    {
        if (body.Env is null && body.Envs is null)
        {
            return ImmutableDictionary<string, string>.Empty;
        }

        var variables = ImmutableDictionary.CreateBuilder<string, string>(StringComparer.Ordinal);
        Read(body.Env, "env", variables);
        Read(body.Envs, "envs", variables);
        var bytes = variables.Sum(static variable => (long)Encoding.UTF8.GetByteCount(variable.Key) + Encoding.UTF8.GetByteCount(variable.Value));
        return bytes <= MaxEnvironmentBytes
            ? variables.ToImmutable()
            : throw new CerverException(CerverError.PayloadTooLarge, $"The variables of a run may take {MaxEnvironmentBytes} bytes together.", "envs");
    }

    private static void Read(IReadOnlyDictionary<string, string?>? from, string field, ImmutableDictionary<string, string>.Builder into)
    {
        foreach (var (name, value) in from ?? ReadOnlyDictionary<string, string?>.Empty)
        {
            if (name.Length == 0 || name.Contains('=', StringComparison.Ordinal))
            {
                throw Refuse(field, "must have names that are not empty and without '='.");
            }

            into[name] = value ?? throw Refuse(field, "must have strings as its values.");
        }
    }

    private static CerverException Refuse(string field, string rule) => new(CerverError.InvalidRequest, $"'{field}' {rule}", field);
}
