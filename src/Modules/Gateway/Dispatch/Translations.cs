using Verbatim.Modules.Gateway.Wire;
using Verbatim.Modules.Gateway.Wire.Translation;

namespace Verbatim.Modules.Gateway.Dispatch;

internal static class Translations
{
    public static TranslatedCall? Open(
        Operation caller,
        TranslationTarget target,
        WireRequest request,
        out WireError? error
    )
    {
        error = new WireError(
            400,
            $"The model `{request.Model}` cannot be asked on this route yet.",
            "model",
            "unsupported_operation"
        );
        return null;
    }
}
