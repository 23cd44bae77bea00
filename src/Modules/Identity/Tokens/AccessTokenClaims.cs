using System.Buffers;
using System.Collections.Immutable;
using System.Text.Json;

namespace Verbatim.Modules.Identity.Tokens;

/// <summary>The claims of an access token as JSON, in both directions.</summary>
internal static class AccessTokenClaims
{
    // A day before the end of DateTimeOffset's range, so that a clock skew can be added.
    private static readonly long MaxSeconds = DateTimeOffset.MaxValue.AddDays(-1).ToUnixTimeSeconds();

    // RFC 6749 §3.3: %x21 / %x23-5B / %x5D-7E.
    private static readonly SearchValues<char> ScopeCharacters = SearchValues.Create([
        .. Enumerable.Range(0x21, 0x7E - 0x21 + 1).Select(code => (char)code).Where(c => c is not ('"' or '\\')),
    ]);

    /// <summary>Whether the text can be one element of <c>scope</c>.</summary>
    public static bool IsScope(ReadOnlySpan<char> text) => !text.IsEmpty && !text.ContainsAnyExcept(ScopeCharacters);

    /// <summary>Writes the claims. <c>scope</c> is left out when there is none: its grammar has no empty value.</summary>
    public static void Write(IBufferWriter<byte> destination, AccessToken token, string issuer, string audience)
    {
        using var writer = new Utf8JsonWriter(destination, JsonWebKey.WriterOptions);
        writer.WriteStartObject();
        writer.WriteString("iss"u8, issuer);
        writer.WriteString("sub"u8, token.Subject);
        writer.WriteString("aud"u8, audience);
        writer.WriteNumber("iat"u8, token.IssuedAt.ToUnixTimeSeconds());
        writer.WriteNumber("nbf"u8, token.NotBefore.ToUnixTimeSeconds());
        writer.WriteNumber("exp"u8, token.ExpiresAt.ToUnixTimeSeconds());
        writer.WriteString("jti"u8, token.Id);
        writer.WriteString("client_id"u8, token.ClientId);
        writer.WriteString("org_id"u8, token.OrganizationId);
        if (token.LoginId is { } login)
            writer.WriteString("sid"u8, login);
        writer.WriteStartArray("roles"u8);
        foreach (var role in token.Roles)
            writer.WriteStringValue(role);
        writer.WriteEndArray();
        if (!token.Scopes.IsEmpty)
            writer.WriteString("scope"u8, string.Join(' ', token.Scopes));
        writer.WriteEndObject();
    }

    /// <summary>
    /// Reads the claims strictly: all that <see cref="Write"/> writes, each in its own type. Claims that it does not
    /// know are skipped, so that an older instance accepts what a newer one issues. Never throws on input.
    /// </summary>
    public static TokenFailure Read(ReadOnlySpan<byte> json, string? issuer, string audience, out AccessToken? token)
    {
        token = null;
        if (!StrictJson.IsUnambiguousObject(json))
            return TokenFailure.BadClaims;

        bool? isIssuer = null;
        bool? isAudience = null;
        Guid? id = null;
        Guid? subject = null;
        Guid? organization = null;
        string? client = null;
        Guid? login = null;
        ImmutableArray<string>? roles = null;
        ImmutableArray<string>? scopes = [];
        DateTimeOffset? issuedAt = null;
        DateTimeOffset? notBefore = null;
        DateTimeOffset? expiresAt = null;

        var reader = new Utf8JsonReader(json, StrictJson.Options);
        reader.Read();
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var isRead = true;
            if (reader.ValueTextEquals("iss"u8))
                isRead = (isIssuer = TextEquals(ref reader, issuer)) is not null;
            else if (reader.ValueTextEquals("aud"u8))
                isRead = (isAudience = TextOrArrayContains(ref reader, audience)) is not null;
            else if (reader.ValueTextEquals("sub"u8))
                isRead = (subject = Id(ref reader)) is not null;
            else if (reader.ValueTextEquals("jti"u8))
                isRead = (id = Id(ref reader)) is not null;
            else if (reader.ValueTextEquals("org_id"u8))
                isRead = (organization = Id(ref reader)) is not null;
            else if (reader.ValueTextEquals("client_id"u8))
                isRead = (client = Text(ref reader)) is not null;
            else if (reader.ValueTextEquals("sid"u8))
                isRead = (login = Id(ref reader)) is not null;
            else if (reader.ValueTextEquals("roles"u8))
                isRead = (roles = Texts(ref reader)) is not null;
            else if (reader.ValueTextEquals("scope"u8))
                isRead = (scopes = ScopeList(ref reader)) is not null;
            else if (reader.ValueTextEquals("iat"u8))
                isRead = (issuedAt = Time(ref reader)) is not null;
            else if (reader.ValueTextEquals("nbf"u8))
                isRead = (notBefore = Time(ref reader)) is not null;
            else if (reader.ValueTextEquals("exp"u8))
                isRead = (expiresAt = Time(ref reader)) is not null;
            else
                reader.Skip();

            if (!isRead)
                return TokenFailure.BadClaims;
        }

        if (
            isIssuer is null
            || isAudience is null
            || id is null
            || subject is null
            || organization is null
            || client is null
            || roles is null
            || scopes is null
            || issuedAt is null
            || notBefore is null
            || expiresAt is null
        )
            return TokenFailure.BadClaims;
        if (!isIssuer.Value)
            return TokenFailure.WrongIssuer;
        if (!isAudience.Value)
            return TokenFailure.WrongAudience;

        token = new AccessToken
        {
            Id = id.Value,
            Subject = subject.Value,
            OrganizationId = organization.Value,
            ClientId = client,
            LoginId = login,
            Roles = roles.Value,
            Scopes = scopes.Value,
            IssuedAt = issuedAt.Value,
            NotBefore = notBefore.Value,
            ExpiresAt = expiresAt.Value,
        };
        return TokenFailure.None;
    }

    private static bool? TextEquals(ref Utf8JsonReader reader, string? expected)
    {
        reader.Read();
        return reader.TokenType == JsonTokenType.String ? expected is null || reader.ValueTextEquals(expected) : null;
    }

    // RFC 7519 §4.1.3: one string, or an array of strings of which the reader must be one.
    private static bool? TextOrArrayContains(ref Utf8JsonReader reader, string expected)
    {
        reader.Read();
        if (reader.TokenType == JsonTokenType.String)
            return reader.ValueTextEquals(expected);
        if (reader.TokenType != JsonTokenType.StartArray)
            return null;

        var contains = false;
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            if (reader.TokenType != JsonTokenType.String)
                return null;
            contains |= reader.ValueTextEquals(expected);
        }

        return contains;
    }

    private static Guid? Id(ref Utf8JsonReader reader)
    {
        reader.Read();
        return reader.TokenType == JsonTokenType.String && reader.TryGetGuid(out var id) ? id : null;
    }

    private static string? Text(ref Utf8JsonReader reader)
    {
        reader.Read();
        return CurrentText(ref reader);
    }

    private static string? CurrentText(ref Utf8JsonReader reader) =>
        reader.TokenType == JsonTokenType.String && reader.GetString() is { Length: > 0 } text ? text : null;

    private static ImmutableArray<string>? Texts(ref Utf8JsonReader reader)
    {
        reader.Read();
        if (reader.TokenType != JsonTokenType.StartArray)
            return null;

        var texts = ImmutableArray.CreateBuilder<string>();
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            if (CurrentText(ref reader) is not { } text)
                return null;
            texts.Add(text);
        }

        return texts.DrainToImmutable();
    }

    private static ImmutableArray<string>? ScopeList(ref Utf8JsonReader reader)
    {
        if (Text(ref reader) is not { } text)
            return null;

        var scopes = text.Split(' ');
        return Array.TrueForAll(scopes, scope => IsScope(scope)) ? [.. scopes] : null;
    }

    // RFC 7519 §2 allows fractions; Verbatim issues whole seconds, and nothing else is taken.
    private static DateTimeOffset? Time(ref Utf8JsonReader reader)
    {
        reader.Read();
        return
            reader.TokenType == JsonTokenType.Number
            && reader.TryGetInt64(out var seconds)
            && seconds >= 0
            && seconds <= MaxSeconds
            ? DateTimeOffset.FromUnixTimeSeconds(seconds)
            : null;
    }
}
