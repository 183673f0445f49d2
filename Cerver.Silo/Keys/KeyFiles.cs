using System.Xml;
using System.Xml.Linq;
using Cerver.Errors;
using Microsoft.AspNetCore.DataProtection.Repositories;

namespace Cerver.Silo.Keys;

/// <summary>The keys of a standalone gateway: a file for each, for nobody else to read. The framework's own would have the usual mode and be flushed some time later.</summary>
/// <param name="directory">Where they are. It is made with the first one.</param>
internal sealed class KeyFiles(string directory) : IXmlRepository
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    /// <inheritdoc/>
    public IReadOnlyCollection<XElement> GetAllElements()
    {
        try
        {
            return Directory.Exists(directory)
                ? [.. Directory.EnumerateFiles(directory, "*.xml").Order(StringComparer.Ordinal).Select(static path => XElement.Load(path))]
                : [];
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException or XmlException)
        {
            throw new CerverException(
                CerverError.SecretBackendUnavailable,
                "The keys in the data directory's 'keys' cannot be read. Restore that directory from a backup, and see that the gateway may read it.");
        }
    }

    /// <inheritdoc/>
    public void StoreElement(XElement element, string friendlyName)
    {
        try
        {
            Directory.CreateDirectory(directory, OwnerOnly | UnixFileMode.UserExecute);

            // Written beside and then moved, so that a stop in between leaves no half of a key.
            var path = Path.Combine(directory, $"{friendlyName}.xml");
            var draft = $"{path}.new";
            File.Delete(draft);
            using (var file = new FileStream(draft, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = OwnerOnly }))
            {
                element.Save(file);
                file.Flush(flushToDisk: true);
            }

            File.Move(draft, path);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new CerverException(
                CerverError.StorageUnavailable,
                "A key could not be stored in the data directory, nothing was changed. See that its disk has room and lets the gateway write, and try again.");
        }
    }
}
