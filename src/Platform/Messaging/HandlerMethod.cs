using System.Linq.Expressions;
using System.Reflection;
using Microsoft.Extensions.DependencyInjection;
using Handler = System.Func<
    object,
    object,
    System.IServiceProvider,
    System.Threading.CancellationToken,
    System.Threading.Tasks.Task
>;

namespace Verbatim.Platform.Messaging;

/// <summary>
/// Makes a delegate of a static handler, once, so that no call goes through reflection. It takes what is handled, its context, services for
/// the other parameters, and a cancellation token.
/// </summary>
internal static class HandlerMethod
{
    public const string Name = "HandleAsync";

    private static readonly MethodInfo GetService = typeof(ServiceProviderServiceExtensions).GetMethod(
        nameof(ServiceProviderServiceExtensions.GetRequiredService),
        [typeof(IServiceProvider), typeof(Type)]
    )!;

    public static IEnumerable<MethodInfo> Of(Type type) =>
        type.GetMethods(BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic).Where(m => m.Name == Name);

    /// <summary>The first parameter takes the subject; one of <paramref name="contextType"/> the context.</summary>
    public static Handler Compile(MethodInfo method, Type contextType)
    {
        var subject = Expression.Parameter(typeof(object));
        var context = Expression.Parameter(typeof(object));
        var services = Expression.Parameter(typeof(IServiceProvider));
        var cancellationToken = Expression.Parameter(typeof(CancellationToken));
        var arguments = method
            .GetParameters()
            .Select(
                (parameter, index) =>
                    index == 0 ? Expression.Convert(subject, parameter.ParameterType)
                    : parameter.ParameterType == contextType ? Expression.Convert(context, contextType)
                    : parameter.ParameterType == typeof(CancellationToken) ? (Expression)cancellationToken
                    : Expression.Convert(
                        Expression.Call(GetService, services, Expression.Constant(parameter.ParameterType)),
                        parameter.ParameterType
                    )
            );
        return Expression
            .Lambda<Handler>(Expression.Call(method, arguments), subject, context, services, cancellationToken)
            .Compile();
    }
}
