using Verbatim.Modules.Gateway.Files;
using Verbatim.Modules.Gateway.Inferences;
using Verbatim.Platform.Events;

namespace Verbatim.Tests.Unit.Gateway.Files;

public sealed class ProviderFileTests
{
    private static readonly DateTimeOffset Now = new(2026, 11, 21, 12, 0, 0, TimeSpan.Zero);

    private static readonly Decision NotFound = Decision.Refuse(
        RefusalKind.NotFound,
        "gateway.file-not-found",
        "There is no such file."
    );

    private static readonly ProviderFile Started = ProviderFile.Evolve(
        null,
        new FileUploadStarted("openai", Guid.NewGuid(), ProjectId: null, Guid.NewGuid(), "openai", Guid.NewGuid())
    );

    private static readonly ProviderFile Uploaded = ProviderFile.Evolve(
        Started,
        new FileUploaded("file-1", "a.txt", null, "user_data", new BodyDigest(3, "abc"), Now, ExpiresAt: null)
    );

    [Fact]
    public void What_was_uploaded_can_be_deleted_once()
    {
        Assert.NotEqual(NotFound, DeleteFile.Decide(Uploaded, Now));
        var deleted = ProviderFile.Evolve(Uploaded, new FileDeleted(Now));

        Assert.Equal(ProviderFileStatus.Deleted, deleted.Status);
        foreach (var file in (ProviderFile?[])[null, Started, deleted])
            Assert.Equal(NotFound, DeleteFile.Decide(file, Now));
    }

    [Fact]
    public void How_an_upload_ended_is_told_once_however_often_it_is_tried()
    {
        var ended = new FileUploadFailed("client-left", 499);
        var lost = ProviderFile.Evolve(Started, new FileUploadLost(Started.Instance));

        Assert.Equal(NotFound, UploadEnds.Decide(null, ended));
        foreach (var open in new[] { Started, lost })
            Assert.Equal([ended], Assert.IsType<Decision.Appending>(UploadEnds.Decide(open, ended)).Events);
        foreach (var closed in new[] { Uploaded, ProviderFile.Evolve(Started, ended) })
            Assert.Equal(Decision.Nothing, UploadEnds.Decide(closed, ended));
    }

    [Fact]
    public void What_failed_stays_failed()
    {
        var failed = ProviderFile.Evolve(Started, new FileUploadFailed("client-left", 499));

        Assert.Equal(ProviderFileStatus.Failed, failed.Status);
        Assert.Throws<UnexpectedEventException>(() => ProviderFile.Evolve(failed, new FileDeleted(Now)));
    }

    [Fact]
    public void What_was_lost_may_still_end_either_way_and_is_not_there_before()
    {
        var lost = ProviderFile.Evolve(Started, new FileUploadLost(Started.Instance));

        Assert.Equal(ProviderFileStatus.Unknown, lost.Status);
        Assert.Equal(NotFound, DeleteFile.Decide(lost, Now));
        Assert.Equal(
            ProviderFileStatus.Failed,
            ProviderFile.Evolve(lost, new FileUploadFailed("client-left", 499)).Status
        );
        var uploaded = new FileUploaded("file-1", "a.txt", null, "user_data", new BodyDigest(3, "abc"), Now, null);
        Assert.Equal(Uploaded, ProviderFile.Evolve(lost, uploaded));
        Assert.Throws<UnexpectedEventException>(() => ProviderFile.Evolve(Uploaded, new FileUploadLost(Guid.Empty)));
    }

    [Theory]
    [InlineData("file-6F2ksmvXxt4VdoqmHRw6kL", true)]
    [InlineData("a:b.c_d", true)]
    [InlineData("", false)]
    [InlineData("..", false)]
    [InlineData("a/b", false)]
    [InlineData("a?b", false)]
    [InlineData("a%2fb", false)]
    [InlineData("a\0", false)]
    public void An_id_can_stand_in_an_address_as_it_is(string id, bool isId) => Assert.Equal(isId, OwnedFiles.IsId(id));
}
