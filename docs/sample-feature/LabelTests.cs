using Verbatim.Modules.Gateway.Labels;
using Verbatim.Platform.Events;

namespace Verbatim.Tests.Unit.Gateway.Labels;

public sealed class LabelTests
{
    private static readonly Label Billing = Label.Evolve(null, new LabelCreated("billing"));

    [Fact]
    public void A_description_is_recorded_and_seen()
    {
        var described = Label.Evolve(Billing, new LabelDescribed("Calls of the billing job"));

        Assert.Equal(new Label("billing", "Calls of the billing job"), described);
    }

    [Fact]
    public void The_same_description_again_records_nothing()
    {
        var request = new DescribeLabelRequest("Calls of the billing job");
        var described = Label.Evolve(Billing, new LabelDescribed(request.Description));

        Assert.Equal(Decision.Nothing, DescribeLabel.Decide(described, request));
        Assert.NotEqual(Decision.Nothing, DescribeLabel.Decide(Billing, request));
    }

    [Fact]
    public void A_label_is_made_once() =>
        Assert.Throws<UnexpectedEventException>(() => Label.Evolve(Billing, new LabelCreated("billing")));
}
