using System.Xml.Linq;
using Cerver.Errors;
using Cerver.Grains.Storage;
using Cerver.Grains.Storage.Postgres;
using Microsoft.AspNetCore.DataProtection.Repositories;
using Npgsql;

namespace Cerver.Silo.Keys;

/// <summary>
/// The keys of a cluster, which all silos share, in its database. They are read with the first credential and about once a day, and the interface of the framework waits
/// for them where it stands.
/// </summary>
internal sealed partial class KeyTable(NpgsqlDataSource source, ILogger<KeyTable> logger) : IXmlRepository
{
    /// <inheritdoc/>
    public IReadOnlyCollection<XElement> GetAllElements() => Run(connection =>
    {
        using var command = Command(connection, "Secrets/Keys/Postgres/list.sql");
        using var rows = command.ExecuteReader();
        var elements = new List<XElement>();
        while (rows.Read())
        {
            elements.Add(XElement.Parse(rows.GetString(0)));
        }

        return elements;
    });

    /// <inheritdoc/>
    public void StoreElement(XElement element, string friendlyName) => Run(connection =>
    {
        using var command = Command(connection, "Secrets/Keys/Postgres/insert.sql");
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = friendlyName });
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = element.ToString(SaveOptions.DisableFormatting) });
        return command.ExecuteNonQuery();
    });

    private T Run<T>(Func<NpgsqlConnection, T> use)
    {
        try
        {
            using var connection = source.OpenConnection();
            return use(connection);
        }
        catch (Exception failure) when (failure is NpgsqlException or ObjectDisposedException)
        {
            LogFailed(failure);
            throw new CerverException(CerverError.StorageUnavailable, "The keys with which credentials are encrypted could not be read or stored. Try again later.");
        }
    }

    private static NpgsqlCommand Command(NpgsqlConnection connection, string path)
    {
#pragma warning disable CA2100 // The text is an embedded statement.
        return new NpgsqlCommand(SqlText.Load(path), connection) { CommandTimeout = PostgresDatabase.CommandSeconds };
#pragma warning restore CA2100
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "The keys could not be read or stored")]
    private partial void LogFailed(Exception failure);
}
