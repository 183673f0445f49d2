using System.Collections.Immutable;
using Cerver.Errors;
using Cerver.Grains.Secrets.Infisical;
using Cerver.Secrets;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Options;

namespace Cerver.Tests.Secrets;

public sealed class InfisicalVaultRulesTests
{
    private static readonly ImmutableArray<string> Sites = ["https://app.infisical.com", "https://vault.example:8443"];

    private static readonly StoredInfisicalVault Stored = new()
    {
        VaultId = "vault_1",
        ProjectId = "p1",
        SiteUrl = Sites[0],
        ClientId = "c1",
        Credential = "encrypted",
        IsDefault = true,
        Revision = 3,
        LastVerifiedAt = DateTimeOffset.UnixEpoch,
        LastVerifyError = "wrong",
    };

    private static readonly InfisicalVaultFields Whole = new(ProjectId: "p1", ClientId: "c1", ClientSecret: new Secret("s1"));

    public static TheoryData<string, string> TooLongOrWrong => new()
    {
        { "label", new string('x', 201) },
        { "project_id", new string('x', 129) },
        { "project_id", "" },
        { "project_id", "a/b" },
        { "environment", "prod&x=1" },
        { "environment", "" },
        { "path", "" },
        { "path", "agents" },
        { "path", "/a/../b" },
        { "path", "/a?b" },
        { "path", "/" + new string('x', 512) },
        { "client_id", "c 1" },
        { "client_id", new string('x', 129) },
        { "client_secret", "" },
        { "client_secret", "with space" },
        { "client_secret", "ümlaut" },
        { "client_secret", new string('x', 4097) },
        { "service_token", "st." + new string('x', 4094) },
        { "service_token", "no-service-token" },
        { "site_url", "https://169.254.169.254" },
        { "site_url", "https://app.infisical.com.evil.example" },
        { "site_url", "https://app.infisical.com@evil.example" },
        { "site_url", "https://app.infisical.com/other" },
        { "site_url", "https://app.infisical.com?x=1" },
        { "site_url", "http://app.infisical.com" },
        { "site_url", "https://app.infisical.com:444" },
        { "site_url", "file:///etc/passwd" },
        { "site_url", "app.infisical.com" },
        { "site_url", "" },
    };

    [Theory]
    [MemberData(nameof(TooLongOrWrong))]
    public void A_field_that_is_too_long_or_wrong_is_named_and_not_repeated(string field, string value)
    {
        var refusal = Assert.Throws<CerverException>(() => InfisicalVaultRules.Apply(Stored, With(field, value), Sites));

        Assert.Equal((CerverError.InvalidRequest, field), (refusal.Code, refusal.Field));
        Assert.StartsWith($"'{field}' ", refusal.Message, StringComparison.Ordinal);
        Assert.True(value.Length < 4 || !refusal.Message.Contains(value, StringComparison.Ordinal) || Sites.Contains(value) || value == "app.infisical.com", refusal.Message);
    }

    [Fact]
    public void A_site_that_is_not_called_is_refused_with_those_that_are_and_the_name_of_the_setting()
    {
        var refusal = Assert.Throws<CerverException>(() => InfisicalVaultRules.Apply(Stored, With("site_url", "https://10.0.0.1"), Sites));

        Assert.Equal(
            "'site_url' is not an instance that this gateway calls. It calls https://app.infisical.com, https://vault.example:8443; its operator adds others with the setting Cerver:Secrets:Infisical:Sites.",
            refusal.Message);
    }

    [Theory]
    [InlineData("HTTPS://APP.Infisical.com/", "https://app.infisical.com")]
    [InlineData("https://app.infisical.com:443", "https://app.infisical.com")]
    [InlineData("https://vault.example:8443/", "https://vault.example:8443")]
    public void A_site_is_kept_in_one_spelling(string sent, string kept)
    {
        var vault = InfisicalVaultRules.Apply(Stored, With("site_url", sent) with { ClientSecret = new Secret("s2") }, Sites);

        Assert.Equal(kept, vault.SiteUrl);
    }

    [Fact]
    public void A_new_vault_has_the_usual_environment_folder_and_site()
    {
        var vault = InfisicalVaultRules.Apply(new(), Whole, Sites);

        Assert.Equal(("p1", "prod", "/", Sites[0], "c1", null), (vault.ProjectId, vault.Environment, vault.Path, vault.SiteUrl, vault.ClientId, vault.Label));
    }

    [Fact]
    public void A_new_vault_needs_a_project_and_a_credential()
    {
        Assert.Equal("project_id", FieldOf(new(), Whole with { ProjectId = null }));
        Assert.Equal("client_secret", FieldOf(new(), Whole with { ClientSecret = null }));
        Assert.Equal("client_secret", FieldOf(new(), Whole with { ClientId = null, ClientSecret = null }));
        Assert.Equal("client_id", FieldOf(new(), Whole with { ClientId = null }));
        Assert.Null(FieldOf(new(), Whole with { ClientId = null, ClientSecret = null, ServiceToken = new Secret("st.1") }));
    }

    [Fact]
    public void A_credential_goes_to_no_other_client_and_no_other_site_than_it_was_sent_for()
    {
        Assert.Equal("client_secret", FieldOf(Stored, new(ClientId: "c2")));
        Assert.Equal("client_secret", FieldOf(Stored, new(SiteUrl: Sites[1])));
        Assert.Equal("service_token", FieldOf(Stored, new(ClientId: "c1", ServiceToken: new Secret("st.1"))));
        Assert.Equal("service_token", FieldOf(Stored, new(ClientSecret: new Secret("s2"), ServiceToken: new Secret("st.1"))));
        Assert.Equal("client_id", FieldOf(Stored with { ClientId = null }, new(ClientSecret: new Secret("s2"))));
        Assert.Null(FieldOf(Stored, new(ClientId: "c1", SiteUrl: Sites[0])));
        Assert.Null(FieldOf(Stored, new(ClientId: "c2", ClientSecret: new Secret("s2"), SiteUrl: Sites[1])));
        Assert.Null(InfisicalVaultRules.Apply(Stored, new(ServiceToken: new Secret("st.1")), Sites).ClientId);
    }

    [Fact]
    public void What_was_verified_counts_until_the_access_changes()
    {
        Assert.Equal(Stored with { Label = "Team" }, InfisicalVaultRules.Apply(Stored, new(Label: "Team"), Sites));
        Assert.Equal(Stored, InfisicalVaultRules.Apply(Stored with { Label = "Team" }, new(Label: ""), Sites));
        foreach (var fields in (InfisicalVaultFields[])[
            new(ProjectId: "p2"), new(Environment: "dev"), new(Path: "/agents"), new(SiteUrl: Sites[1], ClientSecret: new Secret("s")), new(ClientSecret: new Secret("s1"))])
        {
            var changed = InfisicalVaultRules.Apply(Stored, fields, Sites);
            Assert.Equal((4, null, null), (changed.Revision, changed.LastVerifiedAt, changed.LastVerifyError));
        }
    }

    [Fact]
    public void The_default_is_taken_by_another_and_not_given_up() => Assert.Equal("is_default", FieldOf(Stored, new(IsDefault: false)));

    [Theory]
    [InlineData("https://vault.example/path")]
    [InlineData("vault.example")]
    [InlineData("ftp://vault.example")]
    [InlineData("https://user:pass@vault.example")]
    [InlineData("")]
    public void A_setting_that_is_no_address_of_an_instance_stops_the_start(string site)
    {
        var options = Bind("https://vault.example:8443/", site);

        var result = new InfisicalSiteOptionsValidator().Validate(Options.DefaultName, options);

        Assert.Contains("Cerver:Secrets:Infisical:Sites has", result.FailureMessage, StringComparison.Ordinal);
    }

    [Fact]
    public void Without_a_setting_the_hosted_instances_are_called_and_with_one_only_those()
    {
        Assert.Equal(["https://app.infisical.com", "https://us.infisical.com", "https://eu.infisical.com"], Bind().Allowed().AsEnumerable());
        Assert.Equal(["https://vault.example:8443", "http://127.0.0.1:8080"], Bind("https://vault.example:8443/", "http://127.0.0.1:8080").Allowed().AsEnumerable());
        Assert.True(new InfisicalSiteOptionsValidator().Validate(Options.DefaultName, Bind([.. Enumerable.Range(0, 101).Select(static i => $"https://v{i}.example")])).Failed);
    }

    private static InfisicalSiteOptions Bind(params string[] sites)
    {
        var options = new InfisicalSiteOptions();
        new ConfigurationBuilder()
            .AddInMemoryCollection(sites.Select(static (site, i) => KeyValuePair.Create($"{InfisicalSiteOptions.Setting}:{i}", (string?)site)))
            .Build().GetSection(InfisicalSiteOptions.Section).Bind(options);
        return options;
    }

    private static string? FieldOf(StoredInfisicalVault vault, InfisicalVaultFields fields)
    {
        try
        {
            InfisicalVaultRules.Apply(vault, fields, Sites);
            return null;
        }
        catch (CerverException refusal)
        {
            return refusal.Field;
        }
    }

    private static InfisicalVaultFields With(string field, string value) => field switch
    {
        "label" => new(Label: value),
        "project_id" => new(ProjectId: value),
        "environment" => new(Environment: value),
        "path" => new(Path: value),
        "client_id" => new(ClientId: value, ClientSecret: new Secret("s")),
        "client_secret" => new(ClientSecret: new Secret(value)),
        "service_token" => new(ServiceToken: new Secret(value)),
        _ => new(SiteUrl: value, ClientSecret: new Secret("s")),
    };
}
