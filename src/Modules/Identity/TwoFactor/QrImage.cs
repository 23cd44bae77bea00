using QRCoder;

namespace Verbatim.Modules.Identity.TwoFactor;

/// <summary>A QR code (ISO/IEC 18004) as an image.</summary>
internal static class QrImage
{
    private const int PixelsPerModule = 4;

    /// <summary>An SVG of black on white, whatever is around it: scanners want it so.</summary>
    public static string Of(string text)
    {
        using var data = QRCodeGenerator.GenerateQrCode(text, QRCodeGenerator.ECCLevel.M);
        using var code = new SvgQRCode(data);
        return code.GetGraphic(PixelsPerModule);
    }
}
