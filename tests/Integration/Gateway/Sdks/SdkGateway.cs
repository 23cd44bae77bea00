using Verbatim.Tests.Integration.Gateway.Conformance;

namespace Verbatim.Tests.Integration.Gateway.Sdks;

/// <summary>One gateway for all that its features are tested on: each test names its own models.</summary>
[CollectionDefinition(Name)]
public sealed class SdkGateway : ICollectionFixture<ConformanceHost>
{
    public const string Name = "SDKs";
}
