using System.Reflection;
using Cerver.Grains.Sessions;
using Cerver.Sessions;

namespace Cerver.Tests.Structure;

/// <summary>Names and numbers on the wire between grains are chosen, not inherited.</summary>
public sealed class ContractTests
{
    private static readonly Type[] Messages = [.. typeof(ISessionGrain).Assembly.GetTypes().Concat(typeof(SessionGrain).Assembly.GetTypes())
        .Where(type => type.Namespace?.StartsWith("Cerver", StringComparison.Ordinal) == true && type.GetCustomAttribute<GenerateSerializerAttribute>() is not null)];

    private static readonly Type[] Interfaces = [.. typeof(ISessionGrain).Assembly.GetTypes().Where(type => type.IsInterface && (type.IsAssignableTo(typeof(IGrain)) || type.IsAssignableTo(typeof(IGrainObserver))))];

    [Fact]
    public void Every_message_has_an_alias_of_its_own()
    {
        var aliases = Messages.Select(type => type.GetCustomAttribute<AliasAttribute>(inherit: false)?.Alias).ToList();

        Assert.True(Messages.Length > 20);
        Assert.DoesNotContain(null, aliases);
        Assert.Equal(aliases.Count, aliases.Distinct(StringComparer.Ordinal).Count());
    }

    [Fact]
    public void Every_member_of_a_message_has_a_number_of_its_own()
    {
        foreach (var message in Messages.Where(type => !type.IsEnum))
        {
            var members = message.GetProperties(BindingFlags.Instance | BindingFlags.Public | BindingFlags.DeclaredOnly)
                .Where(property => property.SetMethod is not null)
                .ToList();
            var ids = members.Select(member => member.GetCustomAttribute<IdAttribute>()?.Id).ToList();

            Assert.True(ids.TrueForAll(id => id is not null) && ids.Distinct().Count() == ids.Count, message.Name);
        }
    }

    [Fact]
    public void Every_grain_interface_and_method_has_an_alias()
    {
        foreach (var type in Interfaces)
        {
            Assert.NotNull(type.GetCustomAttribute<AliasAttribute>());
            Assert.NotNull(type.GetCustomAttribute<GrainInterfaceTypeAttribute>());
            Assert.All(type.GetMethods(), method => Assert.NotNull(method.GetCustomAttribute<AliasAttribute>()));
        }
    }

    [Fact]
    public void Every_grain_class_has_a_type_name_and_every_state_a_name_of_its_own()
    {
        var grains = typeof(SessionGrain).Assembly.GetTypes().Where(type => type.IsAssignableTo(typeof(Grain)) && !type.IsAbstract).ToList();
        var states = grains.SelectMany(type => type.GetConstructors().Single().GetParameters())
            .Select(parameter => parameter.GetCustomAttribute<PersistentStateAttribute>()?.StateName)
            .OfType<string>()
            .ToList();

        Assert.All(grains, type => Assert.NotNull(type.GetCustomAttribute<GrainTypeAttribute>()));
        Assert.Equal(states.Count, states.Distinct(StringComparer.Ordinal).Count());
    }

    [Fact]
    public void No_grain_key_reads_as_a_hexadecimal_number()
    {
        string[] keys =
        [
            SessionKey.For("a", "b"), Cerver.Computes.SandboxKey.For("a", "b"), Cerver.Computes.ComputeHostKey.For("0a1b2c3d"), Cerver.Accounts.AccountKey.For("a"), Cerver.Secrets.SecretKey.For("a"),
            Cerver.Computes.MachineKey.For("a", "b"), Cerver.Computes.AccountMachinesKey.For("a"),
        ];

        Assert.All(keys, key => Assert.Contains(key.Split('+')[0], character => !char.IsAsciiHexDigit(character)));
    }
}
