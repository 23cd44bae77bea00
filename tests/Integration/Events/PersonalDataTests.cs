using System.Text;
using System.Text.Json;
using FsCheck.Fluent;
using Verbatim.Platform.Events;
using Verbatim.Platform.PersonalData;
using Verbatim.Tests.Integration.Support;

namespace Verbatim.Tests.Integration.Events;

public sealed class PersonalDataTests(SharedPostgres server) : IAsyncLifetime
{
    private readonly Guid _person = Guid.CreateVersion7();
    private TestStore _store = null!;

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    private AppendContext Context => TestStore.Context with { Subject = _person };

    public async ValueTask InitializeAsync() => _store = new TestStore(await MigratedDatabase.CreateAsync(server));

    public ValueTask DisposeAsync() => _store.DisposeAsync();

    [Fact]
    public async Task A_personal_value_is_sealed_in_the_log_and_opens_to_the_same()
    {
        var author = Guid.CreateVersion7();
        var said = new Said(
            author,
            "in the open",
            "the actor's text",
            "the author's text",
            "the stream's text",
            // Long enough not to occur in an id or in what is sealed.
            1_742_917_385,
            new RawJson("{ \"a\" : 1.0 }"u8.ToArray()),
            [new Line(author, "a line", "of the song")]
        );

        var stored = await AppendAsync(said);

        var text = Encoding.UTF8.GetString(stored.Data.Span);
        Assert.Contains("in the open", text, StringComparison.Ordinal);
        Assert.Contains("of the song", text, StringComparison.Ordinal);
        Assert.DoesNotContain("'s text", text, StringComparison.Ordinal);
        Assert.DoesNotContain("a line", text, StringComparison.Ordinal);
        Assert.DoesNotContain("1742917385", text, StringComparison.Ordinal);
        var read = Assert.IsType<Said>(await _store.Opener.ReadAsync(stored, Cancelled));
        Assert.Equal(said with { Lines = read.Lines }, read);
        Assert.Equal(said.Lines, read.Lines);
        var opened = await _store.Opener.OpenAsync(stored, Cancelled);
        Assert.Equal(JsonSerializer.Serialize(said, _store.Catalog.Json), Encoding.UTF8.GetString(opened.Span));
        // Another instance, which has to ask for the keys.
        await using var another = new TestStore(_store.Database.ConnectionString);
        Assert.Equal(opened.ToArray(), (await another.Opener.OpenAsync(stored, Cancelled)).ToArray());
        Assert.Equal(stored.LeafHash.ToArray(), stored.HashLeaf());
    }

    [Theory]
    [InlineData(3 * 1024 * 1024)]
    [InlineData((3 * 1024 * 1024) + 1)]
    [InlineData((3 * 1024 * 1024) + 2)]
    public async Task Large_values_beside_small_ones_are_sealed_and_open_to_the_same(int length)
    {
        var author = Guid.CreateVersion7();
        var large = new string('a', length);
        var said = new Said(
            author,
            "in the open",
            large,
            "the author's text",
            large + "b",
            42,
            new RawJson(JsonSerializer.SerializeToUtf8Bytes(large + "c")),
            [new Line(author, large + "d", "of the song"), new Line(author, "a line", large)]
        );

        var stored = await AppendAsync(said);

        using var json = JsonDocument.Parse(stored.Data);
        Assert.Equal(
            ["sealed", "of"],
            json.RootElement.GetProperty("text").EnumerateObject().Select(p => p.Name).ToArray()
        );
        var read = Assert.IsType<Said>(await _store.Opener.ReadAsync(stored, Cancelled));
        Assert.Equal(said with { Lines = read.Lines }, read);
        Assert.Equal(said.Lines, read.Lines);
        var opened = await _store.Opener.OpenAsync(stored, Cancelled);
        Assert.Equal(JsonSerializer.Serialize(said, _store.Catalog.Json), Encoding.UTF8.GetString(opened.Span));
    }

    [Fact]
    public async Task Of_each_person_only_their_own_values_are_erased()
    {
        var author = Guid.CreateVersion7();
        var stored = await AppendAsync(
            new Said(author, "open", "actor", "author", "stream", 42, null, [new Line(author, "line", "song")])
        );

        await EraseAsync(author);
        var read = Assert.IsType<Said>(await _store.Opener.ReadAsync(stored, Cancelled));
        Assert.Equal(("actor", "[erased]", "stream", 42), (read.Text, read.Quote, read.About, read.Number));
        Assert.Equal([new Line(author, "[erased]", "song")], read.Lines);

        await EraseAsync(_person);
        await EraseAsync(stored.StreamId);
        read = Assert.IsType<Said>(await _store.Opener.ReadAsync(stored, Cancelled));
        Assert.Equal(("[erased]", "[erased]", "[erased]", null), (read.Text, read.Quote, read.About, read.Number));
        var opened = JsonDocument.Parse(await _store.Opener.OpenAsync(stored, Cancelled)).RootElement;
        Assert.Equal("[erased]", opened.GetProperty("number").GetString());

        // What comes later is recorded, and says nothing about them.
        var later = await AppendAsync(
            new Said(author, "open", "later", "later", "later", 42, new RawJson("1"u8.ToArray()), [])
        );
        Assert.Contains(
            "\"text\":{\"sealed\":null",
            Encoding.UTF8.GetString(later.Data.Span),
            StringComparison.Ordinal
        );
        read = Assert.IsType<Said>(await _store.Opener.ReadAsync(later, Cancelled));
        Assert.Equal(("open", "[erased]", "\"[erased]\""), (read.Public, read.Text, read.Body.ToString()));
        Assert.Equal(later.LeafHash.ToArray(), later.HashLeaf());
    }

    [Fact]
    public async Task What_is_still_in_memory_is_erased_with_the_person()
    {
        _store.Recent.Reached(this, 0);
        await AppendAsync(new Said(Guid.CreateVersion7(), "open", "words", "quote", "about", 42, null, []));
        var recent = Assert.Single(_store.Recent.Read(this, ["test.said"], 0, long.MaxValue, 10, out _)!);
        Assert.Equal("words", Assert.IsType<Said>(await _store.Opener.ReadAsync(recent, Cancelled)).Text);

        await EraseAsync(_person);

        Assert.Equal("[erased]", Assert.IsType<Said>(await _store.Opener.ReadAsync(recent, Cancelled)).Text);
    }

    [Fact]
    public async Task What_nobody_says_is_sealed_for_the_stream()
    {
        var id = Guid.CreateVersion7();
        await _store.AppendAsync(TestStore.Context, id, 0, new Whispered("psst", "psst"));
        await EraseAsync(id);

        var read = Assert.IsType<Whispered>(
            await _store.Opener.ReadAsync(Assert.Single(await _store.ReadAsync(id)), Cancelled)
        );

        Assert.Equal(new Whispered("[erased]", "[erased]"), read);
    }

    [Fact]
    public async Task A_document_s_row_holds_only_sealed_values_and_a_rebuild_makes_the_same_bytes()
    {
        var id = Guid.CreateVersion7();
        await WriteAsync(id, "Ada's first words");
        await WriteAsync(id, "Ada's last words");
        var row = await RowAsync(id);
        Assert.DoesNotContain("Ada", row, StringComparison.Ordinal);
        Assert.Equal(
            "Ada's last words",
            (await _store.Documents.LoadAsync<Diary>(Access.ToAll(TestStore.Context.TenantId), id, Cancelled))!
                .Value
                .LastWords
        );

        await RepairAsync(id);
        Assert.Equal(row, await RowAsync(id));

        await EraseAsync(_person);
        Assert.Equal(
            "[erased]",
            (await _store.Documents.LoadAsync<Diary>(Access.ToAll(TestStore.Context.TenantId), id, Cancelled))!
                .Value
                .LastWords
        );
        await RepairAsync(id);
        Assert.Contains("{\"sealed\":null", await RowAsync(id), StringComparison.Ordinal);
        await WriteAsync(id, "another's words", by: Guid.CreateVersion7());
        Assert.Equal(
            "another's words",
            (await _store.Documents.LoadAsync<Diary>(Access.ToAll(TestStore.Context.TenantId), id, Cancelled))!
                .Value
                .LastWords
        );
    }

    [Fact]
    public async Task A_sealed_value_that_was_moved_or_changed_is_an_error_and_not_another_text()
    {
        var one = await AppendAsync(Sentence("the one"));
        var other = await AppendAsync(Sentence("the other"));
        await _store.ExecuteAsync(
            $"update platform.events set data = (select data from platform.events where position = {one.Position}) where position = {other.Position}"
        );
        var moved = Assert.Single(await _store.ReadAsync(other.StreamId));

        var e = await Assert.ThrowsAsync<JsonException>(async () => await _store.Opener.ReadAsync(moved, Cancelled));
        Assert.Contains("sealed for another place", e.Message, StringComparison.Ordinal);
        Assert.Equal(moved.Data.ToArray(), (await _store.Opener.OpenAsync(moved, Cancelled)).ToArray());
    }

    [Theory]
    [InlineData("""{"text":"plain"}""")]
    [InlineData("""{"text":{"sealed":"%","of":"0198c7ee-90b4-7f21-b6d8-5c0e3a9f1d47"}}""")]
    [InlineData("""{"text":{"sealed":"AAAA"}}""")]
    [InlineData("""{"text":{"of":"0198c7ee-90b4-7f21-b6d8-5c0e3a9f1d47","sealed":"AAAA"}}""")]
    public async Task What_is_not_sealed_as_it_should_be_is_an_error(string data)
    {
        var stored = await AppendAsync(Sentence("sound"));
        await _store.ExecuteAsync(
            $"update platform.events set data = convert_to('{data}', 'UTF8') where position = {stored.Position}"
        );
        var broken = Assert.Single(await _store.ReadAsync(stored.StreamId));

        await Assert.ThrowsAsync<JsonException>(async () => await _store.Opener.ReadAsync(broken, Cancelled));
    }

    [Fact]
    public async Task A_caller_s_text_that_looks_like_a_sealed_value_stays_what_it_is()
    {
        var secret = await AppendAsync(Sentence("the secret"));
        using var token = JsonDocument.Parse(secret.Data);
        var copied = token.RootElement.GetProperty("text").GetRawText();
        var forged = $$"""{"text":{{copied}},"x":[{{copied}}],"{{new string('p', 300)}}":{{copied}}}""";
        var stored = await AppendAsync(
            new Said(_person, "", "", "", "", null, new RawJson(Encoding.UTF8.GetBytes(forged)), [])
        );

        var read = Assert.IsType<Said>(await _store.Opener.ReadAsync(stored, Cancelled));

        Assert.Equal(forged, read.Body.ToString());
        Assert.DoesNotContain(
            "the secret",
            Encoding.UTF8.GetString((await _store.Opener.OpenAsync(stored, Cancelled)).Span),
            StringComparison.Ordinal
        );
    }

    [Fact]
    public async Task Whatever_a_caller_writes_into_an_open_body_is_no_obstacle()
    {
        foreach (
            var body in (string[])
                [
                    """{"\ud800":{"sealed":"AAAA","of":"0198c7ee-90b4-7f21-b6d8-5c0e3a9f1d47"}}""",
                    """{"x":{"sealed":"\ud800","of":"0198c7ee-90b4-7f21-b6d8-5c0e3a9f1d47"}}""",
                    """{"x":{"sealed":"AAAA","of":"\ud800198c7ee-90b4-7f21-b6d8-5c0e3a9f1d47"}}""",
                    """{"é":{"sealed":"AAAA","of":1}}""",
                    """{"x":{"sealed":{"sealed":null,"of":[]}}}""",
                ]
        )
        {
            var stored = await AppendAsync(new Noted("open", new RawJson(Encoding.UTF8.GetBytes(body))));
            Assert.Contains("{\"sealed\":", Encoding.UTF8.GetString(stored.Data.Span), StringComparison.Ordinal);
            Assert.Equal(stored.Data.ToArray(), (await _store.Opener.OpenAsync(stored, Cancelled)).ToArray());
        }
    }

    [Fact]
    public async Task Any_text_comes_back_as_it_went()
    {
        var texts = Gen.Sample(ArbMap.Default.GeneratorFor<string?>(), 200).ToList();
        var id = Guid.CreateVersion7();
        await _store.AppendAsync(Context, id, 0, [.. texts.Select(t => new Whispered(t ?? "", t))]);

        var stored = await _store.ReadAsync(id);
        for (var i = 0; i < texts.Count; i++)
        {
            var expected = JsonSerializer.Deserialize<string?>(JsonSerializer.Serialize(texts[i]));
            var read = Assert.IsType<Whispered>(await _store.Opener.ReadAsync(stored[i], Cancelled));
            Assert.Equal(new Whispered(expected ?? "", expected), read);
        }
    }

    [Fact]
    public async Task A_key_that_may_be_stale_still_seals_and_opens_nothing()
    {
        var stored = await AppendAsync(Sentence("a word"));
        // As when the log cannot be followed; and the database must not be needed to seal.
        _store.Keys.Reset();
        await _store.ExecuteAsync($"delete from platform.subject_keys where subject_id = '{_person}'");

        var later = await AppendAsync(Sentence("another word"));

        Assert.Contains("{\"sealed\":\"", Encoding.UTF8.GetString(later.Data.Span), StringComparison.Ordinal);
        Assert.Equal(
            0,
            await _store.QueryAsync<long>($"select count(*) from platform.subject_keys where subject_id = '{_person}'")
        );
        Assert.Equal(new Whispered("[erased]", null), await _store.Opener.ReadAsync(stored, Cancelled));
    }

    [Fact]
    public async Task A_key_that_cannot_be_had_says_that_nothing_was_stored()
    {
        using var nowhere = new TemporaryHome();
        await using var store = new TestStore(
            $"Host={nowhere.Path};Database=none;Username=nobody",
            patience: TimeSpan.FromMilliseconds(300)
        );

        var e = await Assert.ThrowsAsync<LogUnavailableException>(() =>
            store.AppendAsync(Context, Guid.CreateVersion7(), 0, Sentence("a word"))
        );

        Assert.Contains("nothing was stored", e.Message, StringComparison.Ordinal);
        Assert.False(e.IsOutcomeUnknown);
    }

    [Fact]
    public async Task Two_instances_that_meet_a_person_at_once_agree_on_the_key()
    {
        await using var another = new TestStore(_store.Database.ConnectionString);
        var people = Enumerable.Range(0, 20).Select(_ => Guid.CreateVersion7()).ToList();
        var ids = await Task.WhenAll(
            people
                .Concat(people)
                .Select(
                    async (person, i) =>
                    {
                        var id = Guid.CreateVersion7();
                        await (i < people.Count ? _store : another).AppendAsync(
                            TestStore.Context with
                            {
                                Subject = person,
                            },
                            id,
                            0,
                            Sentence("a word")
                        );
                        return id;
                    }
                )
        );

        await using var third = new TestStore(_store.Database.ConnectionString);
        foreach (var id in ids)
        {
            var stored = Assert.Single(await third.ReadAsync(id));
            Assert.Equal("a word", Assert.IsType<Whispered>(await third.Opener.ReadAsync(stored, Cancelled)).Text);
        }
    }

    private static Whispered Sentence(string text) => new(text, null);

    private async Task<RecordedEvent> AppendAsync(IEvent @event)
    {
        var id = Guid.CreateVersion7();
        await _store.AppendAsync(Context, id, 0, @event);
        return Assert.Single(await _store.ReadAsync(id));
    }

    private async Task WriteAsync(Guid id, string text, Guid? by = null) =>
        await _store.Documents.DecideAsync<Diary>(
            Context,
            id,
            _ => Decision.Append(new Written(by ?? _person, text)),
            Cancelled
        );

    private async Task EraseAsync(Guid person)
    {
        var subjects = new Subjects(
            _store.Database,
            _store.Keys,
            _store.DocumentTypes,
            new DocumentRepair(_store.Database, _store.Opener, _store.Keys, TimeProvider.System),
            [],
            TimeProvider.System
        );
        await _store.Events.AppendAsync(
            Context,
            [new StreamEvents("test-erasure", Guid.CreateVersion7(), 0, [new SubjectErased(person)])],
            [subjects.DestroyKey(Context.TenantId, person)],
            Cancelled
        );
        _store.Keys.Forget(Context.TenantId, person);
    }

    private Task RepairAsync(Guid id) =>
        new DocumentRepair(_store.Database, _store.Opener, _store.Keys, TimeProvider.System).RepairAsync(
            _store.DocumentTypes.Find("test-diary")!,
            [new StreamKey(Context.TenantId, id)],
            Cancelled
        );

    private Task<string> RowAsync(Guid id) =>
        _store.QueryAsync<string>($"select data::text from documents.test_diary where id = '{id}'");
}
