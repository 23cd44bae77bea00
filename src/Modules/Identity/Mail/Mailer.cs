using Microsoft.Extensions.Logging;
using Verbatim.Platform.Events;

namespace Verbatim.Modules.Identity.Mail;

/// <summary>A mail to write.</summary>
/// <param name="To">The address, as a person typed it.</param>
/// <param name="Subject">One line.</param>
/// <param name="Paragraphs">What it says, as plain text.</param>
/// <param name="Link">What it asks to be opened, between the first paragraph and the rest; null for nothing.</param>
internal sealed record Letter(string To, string Subject, IReadOnlyList<string> Paragraphs, Uri? Link = null);

/// <summary>A mail was not taken.</summary>
/// <remarks>Neither the message nor the cause has the mail server's words: they often repeat the address.</remarks>
internal sealed class MailException(string message, bool isPermanent) : Exception(message)
{
    /// <summary>True when trying again changes nothing: the address is none, or the server refuses for good.</summary>
    public bool IsPermanent { get; } = isPermanent;
}

/// <summary>Sends mails through the SMTP server that the settings name. A mail is sent while the caller waits: keep it off the request path.</summary>
/// <param name="settings">Where the mail server is; null when there is none.</param>
/// <param name="ids">Names the mails.</param>
/// <param name="time">Dates them.</param>
/// <param name="logger">Hears of each, but of no address.</param>
internal sealed partial class Mailer(MailSettings? settings, IdSource ids, TimeProvider time, ILogger<Mailer> logger)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    private readonly ILogger<Mailer> _logger = logger;

    /// <summary>False: no mail server is set, and nothing can be sent.</summary>
    public bool IsConfigured => settings is not null;

    /// <summary>Sends one mail; returns when the server has taken it.</summary>
    /// <exception cref="MailException">It was not taken within ten seconds, or not at all.</exception>
    public async Task SendAsync(Letter letter, CancellationToken cancellationToken)
    {
        if (settings is null)
            throw new InvalidOperationException("No mail server is set: look at IsConfigured first.");
        if (!MailAddress.TryParse(letter.To, out var to))
            throw new MailException("The address is not one that mails can be sent to.", isPermanent: true);
        var message = MailMessage.Write(settings.From, to, letter, ids.New(), time.GetUtcNow());

        using var patience = new CancellationTokenSource(Patience, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, cancellationToken);
        var start = time.GetTimestamp();
        try
        {
            await using var session = await SmtpSession.OpenAsync(settings, either.Token);
            await session.SendAsync(settings.From.Address, to.Address, message, either.Token);
        }
        catch (OperationCanceledException) when (patience.IsCancellationRequested)
        {
            LogNotSent("it did not answer in time");
            throw new MailException("The mail server did not answer within ten seconds.", isPermanent: false);
        }
        catch (MailException e)
        {
            LogNotSent(e.Message);
            throw;
        }
        LogSent(time.GetElapsedTime(start).TotalMilliseconds);
    }

    [LoggerMessage(LogLevel.Information, "The mail server took a mail in {Milliseconds:0} ms")]
    private partial void LogSent(double milliseconds);

    [LoggerMessage(LogLevel.Warning, "The mail server took no mail: {Reason}")]
    private partial void LogNotSent(string reason);
}
