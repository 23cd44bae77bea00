namespace Verbatim.Platform.Evidence.Anchors;

/// <summary>Somewhere outside the database that takes checkpoints.</summary>
internal interface IAnchorTarget
{
    /// <summary>Names it among all that there were, without giving away a secret.</summary>
    string Id { get; }

    /// <summary>For the log.</summary>
    string Name { get; }

    /// <summary>Hands over a checkpoint. Returns when it is kept there; throws when it is not, or may not be.</summary>
    Task TakeAsync(StoredCheckpoint checkpoint, CancellationToken cancellationToken);
}
