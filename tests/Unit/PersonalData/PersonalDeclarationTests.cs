using Verbatim.Platform.Events;

namespace Verbatim.Tests.Unit.PersonalData;

public sealed class PersonalDeclarationTests
{
    [Fact]
    public void Mistakes_in_a_declaration_are_told_clearly()
    {
        void AssertSays(string words, Type type) =>
            Assert.Contains(
                words,
                Assert.Throws<InvalidOperationException>(() => Declare(type)).Message,
                StringComparison.Ordinal
            );

        AssertSays("make it nullable", typeof(PersonalNumber));
        AssertSays("must name a Guid of the same record", typeof(PersonalOfNobody));
        AssertSays("Give Of or OfStream", typeof(PersonalDocument));

        static void Declare(Type type)
        {
            var events = new EventCatalog([type]);
            _ = new DocumentCatalog([type], events);
        }
    }

    [EventType("test.personal-number")]
    private sealed record PersonalNumber([property: Personal] int Number) : IEvent;

    [EventType("test.personal-of-nobody")]
    private sealed record PersonalOfNobody([property: Personal(Of = "Somebody")] string Text) : IEvent;

    [StreamType("test-personal-document", Owner = DocumentOwner.Organization)]
    private sealed record PersonalDocument([property: Personal] string Text) : IDocument<PersonalDocument>
    {
        public static PersonalDocument Evolve(PersonalDocument? current, IEvent @event) =>
            throw new UnexpectedEventException(typeof(PersonalDocument), @event);
    }
}
