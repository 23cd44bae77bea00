using Verbatim.Modules.Gateway.Dispatch;
using Verbatim.Modules.Gateway.Inferences;
using Verbatim.Modules.Gateway.Models;
using Verbatim.Modules.Gateway.Models.Aliases;
using Verbatim.Modules.Gateway.Models.Recording;
using Verbatim.Modules.Gateway.Providers;

namespace Verbatim.Tests.Unit.Gateway.Models;

public sealed class CatalogueSnapshotTests : IDisposable
{
    private static readonly Guid Installation = Guid.NewGuid();
    private static readonly Guid Other = Guid.NewGuid();
    private static readonly Guid Third = Guid.NewGuid();
    private static readonly Guid Project = Guid.NewGuid();

    private readonly List<PlacedDeployment> _deployments = [];
    private readonly List<PlacedModel> _models = [];
    private readonly Dictionary<Guid, RecordingPolicy> _recording = [];
    private readonly LiveDeployments _live = new(allowPrivateAddresses: true, TimeProvider.System);

    [Fact]
    public void An_organization_has_its_own_before_what_is_shared()
    {
        Deploy(Installation, "shared", "gpt-*", Visibility.Everybody);
        Deploy(Other, "own", "gpt-4o", Visibility.Own);

        Assert.Equal("own", NameOf(Other, "gpt-4o"));
        Assert.Equal("shared", NameOf(Other, "gpt-4o-mini"));
        Assert.Equal("shared", NameOf(Third, "gpt-4o"));
        Assert.Equal("shared", NameOf(Installation, "gpt-4o"));
    }

    [Fact]
    public void Nothing_of_an_organization_that_may_not_share_leaves_it_whatever_is_on_record()
    {
        foreach (
            var visibility in new[]
            {
                Visibility.Own,
                Visibility.Everybody,
                new Visibility(Audience.Organizations, [Third]),
                new Visibility(Audience.Projects, null, [Project]),
            }
        )
            Deploy(Other, "theirs", $"m-{visibility.Audience}", visibility);

        foreach (var audience in Enum.GetValues<Audience>())
        {
            Assert.Null(Snapshot().ViewOf(Third, Project).Find($"m-{audience}"));
            Assert.Null(Snapshot().ViewOf(Installation, Project).Find($"m-{audience}"));
        }
        Assert.DoesNotContain(
            Snapshot().ViewOf(Third, Project).Exact,
            r => r.Model.StartsWith("m-", StringComparison.Ordinal)
        );
    }

    [Fact]
    public void What_is_shared_with_some_is_not_there_for_others()
    {
        Deploy(Installation, "some", "m", new Visibility(Audience.Organizations, [Other]));
        Deploy(Installation, "project", "p", new Visibility(Audience.Projects, null, [Project]));

        Assert.Equal("some", NameOf(Other, "m"));
        Assert.Equal("some", NameOf(Installation, "m"));
        Assert.Null(NameOf(Third, "m"));
        Assert.Null(NameOf(Installation, "p"));
        Assert.Equal("project", Snapshot().ViewOf(Third, Project).Find("p")?.Tiers[0][0].Deployment.Name);
        Assert.Null(Snapshot().ViewOf(Third, Guid.NewGuid()).Find("p"));
    }

    [Fact]
    public void A_model_stands_before_deployments_of_its_name_and_tells_their_order_and_weights()
    {
        var direct = Deploy(Other, "direct", "fast", Visibility.Own);
        var first = Deploy(Other, "first", "a", Visibility.Own);
        var second = Deploy(Other, "second", "b", Visibility.Own);
        Model(
            Other,
            "fast",
            [
                [(first, 3), (second, 1)],
                [(direct, 1)],
            ]
        );

        var route = Snapshot().ViewOf(Other, null).Find("fast")!;

        Assert.Equal([2, 1], route.Tiers.Select(t => t.Count));
        Assert.Equal([("first", 3), ("second", 1)], route.Tiers[0].Select(d => (d.Deployment.Name, d.Weight)));
    }

    [Fact]
    public void A_model_all_of_whose_deployments_are_off_leads_nowhere_else()
    {
        Deploy(Installation, "shared", "fast", Visibility.Everybody);
        var off = Deploy(Other, "off", "a", Visibility.Own, isEnabled: false);
        Model(
            Other,
            "fast",
            [
                [(off, 1)],
            ]
        );

        Assert.Null(NameOf(Other, "fast"));
        Assert.DoesNotContain(Snapshot().ViewOf(Other, null).Exact, r => r.Model == "fast");
        Assert.Equal("shared", NameOf(Third, "fast"));
    }

    [Fact]
    public void A_model_does_not_reach_deployments_of_another_organization()
    {
        var theirs = Deploy(Installation, "theirs", "a", Visibility.Everybody);
        Model(
            Other,
            "stolen",
            [
                [(theirs, 1)],
            ]
        );

        Assert.Null(NameOf(Other, "stolen"));
    }

    [Fact]
    public void A_deployment_that_is_off_is_as_if_it_were_not_there()
    {
        Deploy(Installation, "on", "gpt-*", Visibility.Own);
        Deploy(Installation, "off", "gpt-4o", Visibility.Own, isEnabled: false);

        Assert.Equal("on", NameOf(Installation, "gpt-4o"));
    }

    [Fact]
    public void The_simulator_answers_to_its_name_whatever_a_star_is_for()
    {
        Deploy(Installation, "star", "*", Visibility.Everybody);

        Assert.Equal("simulator", NameOf(Installation, "simulator"));
        Assert.Equal("simulator", NameOf(Other, "simulator:slow"));
        Assert.Equal("star", NameOf(Other, "anything"));
    }

    [Fact]
    public void The_longest_pattern_wins()
    {
        Deploy(Installation, "short", "gpt-*", Visibility.Own);
        Deploy(Installation, "long", "gpt-4*", Visibility.Own);

        Assert.Equal("long", NameOf(Installation, "gpt-4o"));
        Assert.Equal("short", NameOf(Installation, "gpt-5"));
    }

    [Fact]
    public void A_keys_recording_goes_before_its_projects_and_that_before_the_default()
    {
        var key = Guid.NewGuid();
        _recording[Other] = new RecordingPolicy(
            RecordingLevel.Metadata,
            [new RecordingChoice(Project, RecordingLevel.Full)],
            [new RecordingChoice(key, RecordingLevel.Metadata)]
        );
        var snapshot = Snapshot();

        Assert.Equal(RecordingLevel.Metadata, snapshot.RecordingOf(Other, Project, key));
        Assert.Equal(RecordingLevel.Full, snapshot.RecordingOf(Other, Project, Guid.NewGuid()));
        Assert.Equal(RecordingLevel.Metadata, snapshot.RecordingOf(Other, null, null));
        Assert.Null(snapshot.RecordingOf(Third, Project, key));
    }

    [Fact]
    public void What_did_not_change_goes_on_as_it_was()
    {
        var provider = new ProviderSettings(
            Guid.NewGuid(),
            "p",
            ProviderKind.OpenAi,
            "http://127.0.0.1:1/v1",
            null,
            TimeSpan.FromSeconds(1)
        );
        var settings = new DeploymentSettings(Guid.NewGuid(), "d", provider.Id, "m", null) { MaxConcurrency = 3 };
        var before = Read(provider, "key", 1, settings);

        Assert.Same(before, Read(provider with { }, "key", 1, settings));
        var heavier = Read(provider, "key", 2, settings with { Weight = 5 });
        Assert.NotSame(before, heavier);
        Assert.Same(before.Health, heavier.Health);
        Assert.Same(before.Provider, heavier.Provider);
        var wider = Read(provider, "key", 3, settings with { MaxConcurrency = 4 });
        Assert.NotSame(heavier.Health, wider.Health);
        var rotated = Read(provider, "another key", 3, settings with { MaxConcurrency = 4 });
        Assert.NotSame(wider.Provider, rotated.Provider);
        Assert.NotSame(wider.Health, rotated.Health);
        Assert.Equal("key", wider.Provider.Credential);
    }

    [Fact]
    public void A_deployment_is_not_put_to_another_organizations_provider()
    {
        var provider = new ProviderSettings(
            Guid.NewGuid(),
            "p",
            ProviderKind.OpenAi,
            "http://x/v1",
            null,
            TimeSpan.FromSeconds(1)
        );
        _live.Begin();
        _live.Add(Installation, provider, null);

        Assert.Null(_live.Add(Other, 1, new DeploymentSettings(Guid.NewGuid(), "d", provider.Id, "m", null)));
    }

    public void Dispose() => _live.Dispose();

    private Deployment Read(ProviderSettings provider, string credential, long version, DeploymentSettings settings)
    {
        _live.Begin();
        _live.Add(Other, provider, credential);
        var deployment = _live.Add(Other, version, settings)!;
        _live.End();
        return deployment;
    }

    private CatalogueSnapshot Snapshot() =>
        new(
            new CatalogueEntries(Installation, _deployments, _models, _recording, _live.BuiltIn),
            maxAttempts: 3,
            TimeProvider.System
        );

    private string? NameOf(Guid tenant, string model) =>
        Snapshot().ViewOf(tenant, null).Find(model)?.Tiers[0][0].Deployment.Name;

    private Guid Deploy(Guid tenant, string name, string model, Visibility visibility, bool isEnabled = true)
    {
        var id = Guid.NewGuid();
        _deployments.Add(
            new PlacedDeployment(
                tenant,
                new Deployment(
                    new DeploymentSettings(id, name, Guid.NewGuid(), model, null),
                    _live.BuiltIn[0].Provider,
                    new DeploymentHealth(null, 0, TimeProvider.System)
                ),
                visibility,
                isEnabled,
                TimeProvider.System.GetUtcNow()
            )
        );
        return id;
    }

    private void Model(Guid tenant, string name, (Guid Id, int Weight)[][] tiers) =>
        _models.Add(
            new PlacedModel(
                tenant,
                new ModelTerms(
                    name,
                    null,
                    [.. tiers.Select(t => new ModelTier([.. t.Select(d => new TierDeployment(d.Id, d.Weight))]))],
                    null,
                    null,
                    Visibility.Own
                ),
                TimeProvider.System.GetUtcNow()
            )
        );
}
