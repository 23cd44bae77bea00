using System.Globalization;
using System.Net;
using System.Text;

namespace Verbatim.Modules.Identity.Mail;

/// <summary>A mail as bytes (RFC 5322), plain text and HTML side by side (RFC 2046 §5.1.4).</summary>
internal static class MailMessage
{
    private const int Base64Line = 76;

    // RFC 2047 §2: an encoded word has at most 75 characters; of these 12 are "=?utf-8?B?" and "?=", and 45 bytes make 60.
    private const int BytesInWord = 45;

    /// <summary>
    /// Everything is ASCII, lines end in CRLF, and each is shorter than 998 characters. Texts go in encoded, so none can bring a header, a
    /// line or an end of its own.
    /// </summary>
    public static byte[] Write(MailAddress from, MailAddress to, Letter letter, Guid id, DateTimeOffset now)
    {
        var boundary = $"verbatim-{id:N}";
        var mail = new StringBuilder();
        Header(mail, "From", from.Name is null ? from.Address : $"{Encode(from.Name)} <{from.Address}>");
        Header(mail, "To", to.Address);
        Header(mail, "Subject", Encode(letter.Subject));
        Header(mail, "Date", now.ToString("ddd, dd MMM yyyy HH:mm:ss '+0000'", CultureInfo.InvariantCulture));
        Header(mail, "Message-ID", $"<{id:N}@{from.Domain}>");
        // RFC 3834 §5: what answers by itself, as a notice of absence, does not answer this.
        Header(mail, "Auto-Submitted", "auto-generated");
        Header(mail, "MIME-Version", "1.0");
        Header(mail, "Content-Type", $"multipart/alternative; boundary=\"{boundary}\"");
        mail.Append("\r\n");
        Part(mail, boundary, "text/plain", Text(letter));
        Part(mail, boundary, "text/html", Html(letter));
        mail.Append("--").Append(boundary).Append("--\r\n");
        return Encoding.ASCII.GetBytes(mail.ToString());
    }

    private static void Header(StringBuilder mail, string name, string value) =>
        mail.Append(name).Append(": ").Append(value).Append("\r\n");

    private static void Part(StringBuilder mail, string boundary, string type, string text)
    {
        mail.Append("--").Append(boundary).Append("\r\n");
        Header(mail, "Content-Type", type + "; charset=utf-8");
        Header(mail, "Content-Transfer-Encoding", "base64");
        mail.Append("\r\n");
        var base64 = Convert.ToBase64String(Encoding.UTF8.GetBytes(text));
        for (var i = 0; i < base64.Length; i += Base64Line)
            mail.Append(base64, i, Math.Min(Base64Line, base64.Length - i)).Append("\r\n");
    }

    // RFC 2047. Always, so that no character of a text means anything in the header.
    private static string Encode(string text)
    {
        var words = new List<string>();
        var word = new StringBuilder();
        var bytes = 0;
        foreach (var rune in text.EnumerateRunes())
        {
            if (bytes + rune.Utf8SequenceLength > BytesInWord)
                Flush();
            word.Append(rune.ToString());
            bytes += rune.Utf8SequenceLength;
        }
        Flush();
        return string.Join("\r\n ", words);

        void Flush()
        {
            words.Add($"=?utf-8?B?{Convert.ToBase64String(Encoding.UTF8.GetBytes(word.ToString()))}?=");
            word.Clear();
            bytes = 0;
        }
    }

    private static string Text(Letter letter)
    {
        var paragraphs = letter.Link is { } link
            ? [letter.Paragraphs[0], link.AbsoluteUri, .. letter.Paragraphs.Skip(1)]
            : letter.Paragraphs;
        return string.Join("\r\n\r\n", paragraphs) + "\r\n";
    }

    private static string Html(Letter letter)
    {
        var html = new StringBuilder("<!doctype html><html><body style=\"font-family:sans-serif\">");
        for (var i = 0; i < letter.Paragraphs.Count; i++)
        {
            html.Append("<p>").Append(WebUtility.HtmlEncode(letter.Paragraphs[i])).Append("</p>");
            if (i == 0 && letter.Link is { } link)
            {
                var address = WebUtility.HtmlEncode(link.AbsoluteUri);
                html.Append("<p><a href=\"").Append(address).Append("\">").Append(address).Append("</a></p>");
            }
        }
        return html.Append("</body></html>\r\n").ToString();
    }
}
