using System.ComponentModel.DataAnnotations;

namespace Verbatim.Modules.Gateway.Providers;

/// <summary>A text that is the name of a kind of provider.</summary>
[AttributeUsage(AttributeTargets.Property | AttributeTargets.Parameter)]
internal sealed class ProviderKindNameAttribute : ValidationAttribute
{
    public override bool IsValid(object? value) =>
        value is null || (value is string name && ProviderKinds.Names.Contains(name, StringComparer.Ordinal));

    public override string FormatErrorMessage(string name) =>
        $"Give one of these: {string.Join(", ", ProviderKinds.Names)}.";
}

/// <summary>A text that a header can carry as a credential.</summary>
[AttributeUsage(AttributeTargets.Property | AttributeTargets.Parameter)]
internal sealed class CredentialAttribute : ValidationAttribute
{
    public override bool IsValid(object? value) =>
        value is null
        || (value is string credential && credential.Length <= 4000 && ProviderRules.IsCredential(credential));

    public override string FormatErrorMessage(string name) =>
        "Give up to 4000 letters, digits and signs of ASCII, without spaces and line breaks.";
}
