using System.Text.Json.Serialization;
using Verbatim.Modules.Gateway.Inferences;

namespace Verbatim.Modules.Gateway;

/// <summary>Generated metadata of what is written for every call.</summary>
[JsonSerializable(typeof(InferenceStarted))]
[JsonSerializable(typeof(InferenceCompleted))]
[JsonSerializable(typeof(InferenceFailed))]
[JsonSerializable(typeof(InferenceCancelled))]
[JsonSerializable(typeof(InferenceOutcomeLost))]
[JsonSerializable(typeof(Inference))]
internal sealed partial class GatewayJson : JsonSerializerContext;
