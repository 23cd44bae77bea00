using System.ComponentModel.DataAnnotations;
using System.Reflection;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Validation;
using Verbatim.Platform.Modules;

namespace Verbatim.Tests.Architecture;

public sealed class RequestTests
{
    [Fact]
    public void Every_request_is_public_or_validation_would_skip_it_without_a_word()
    {
        var hidden = Requests().Where(t => !t.IsPublic).Select(t => $"{t} must be public: AddValidation() skips it.");

        Findings.AssertNone(hidden);
    }

    [Fact]
    public void What_a_route_takes_from_its_caller_is_called_a_request()
    {
        var others = HandlerParameters()
            .Where(t => Product.IsRecord(t) && !t.Name.EndsWith("Request", StringComparison.Ordinal))
            .Select(t => $"{t} is a parameter of a handler; a record that is read from the request is named …Request.");

        Findings.AssertNone(others);
    }

    [Fact]
    public void Every_module_that_has_requests_validates_them()
    {
        var unvalidated = new List<string>();
        foreach (var requests in Requests().Where(HasRules).GroupBy(t => t.Assembly))
        {
            // The module alone, so that another one's resolvers do not stand in for its own.
            var services = new ServiceCollection();
            services.AddOptions();
            Product.ModuleOf(requests.Key).Register(services, new ConfigurationBuilder().Build());
            using var provider = services.BuildServiceProvider();
            var validation = provider.GetRequiredService<IOptions<ValidationOptions>>().Value;
            unvalidated.AddRange(
                requests
                    .Where(t => !Validates(validation, t))
                    .Select(t => $"{t} is not validated: its module must call services.AddValidation().")
            );
        }

        Findings.AssertNone(unvalidated);
    }

    [Fact]
    public void There_are_requests_to_look_at() => Assert.Contains(Requests(), HasRules);

    // By its name: the method is marked as one that may still change.
    private static bool Validates(ValidationOptions validation, Type type) =>
        (bool)typeof(ValidationOptions).GetMethod("TryGetValidatableTypeInfo")!.Invoke(validation, [type, null])!;

    private static IEnumerable<Type> Requests() =>
        HandlerParameters()
            .Concat(Product.ModuleAssemblies.SelectMany(a => a.GetTypes()).Where(Product.IsRecord))
            .Where(t => t.Name.EndsWith("Request", StringComparison.Ordinal))
            .Distinct();

    private static bool HasRules(Type type) =>
        type.IsAssignableTo(typeof(IValidatableObject))
        || type.GetProperties().Any(p => p.GetCustomAttributes<ValidationAttribute>().Any());

    // Types of the modules themselves in the handlers of their endpoints.
    private static IEnumerable<Type> HandlerParameters() =>
        Product
            .ModuleAssemblies.SelectMany(a => a.GetTypes())
            .Where(t => t.IsClass && t.IsAssignableTo(typeof(IEndpoint)))
            .SelectMany(t =>
                t.GetMethods(BindingFlags.Static | BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic)
                    .Where(m => m.Name is "Handle" or "HandleAsync")
            )
            .SelectMany(m => m.GetParameters())
            .Select(p => p.ParameterType)
            .Where(t => Product.ModuleAssemblies.Contains(t.Assembly))
            .Distinct();
}
