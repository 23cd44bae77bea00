namespace Verbatim.Modules.Gateway.Wire.Translation;

/// <summary>Why an answer ends.</summary>
internal enum FinishReason
{
    /// <summary>It has not ended.</summary>
    None,

    /// <summary>The model has said everything.</summary>
    Stop,

    /// <summary>A stop sequence of the caller's came.</summary>
    StopSequence,

    /// <summary>The limit of tokens is reached.</summary>
    Length,

    /// <summary>Nothing more fits into the model's context.</summary>
    ContextWindow,

    /// <summary>Tools are to be called.</summary>
    ToolCalls,

    /// <summary>The provider stopped it for what it says, or the model refused.</summary>
    Filtered,

    /// <summary>The provider pauses a long turn.</summary>
    Pause,
}
