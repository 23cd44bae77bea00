using System.Collections;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;

namespace Verbatim.Tests.Architecture;

public sealed partial class NamingTests
{
    private const BindingFlags Declared =
        BindingFlags.DeclaredOnly
        | BindingFlags.Instance
        | BindingFlags.Static
        | BindingFlags.Public
        | BindingFlags.NonPublic;

    [Fact]
    public void No_name_hides_what_a_type_does()
    {
        var vague = Product
            .Sources.Concat(Product.TestSources)
            .SelectMany(file =>
                TypeDeclaration()
                    .Matches(file.Code)
                    .Select(m => m.Groups["name"].Value)
                    .Where(name => Vague().IsMatch(name))
                    .Select(name => $"{file.Path}: {name}. Name what it does.")
            );

        Findings.AssertNone(vague);
    }

    [Fact]
    public void No_folder_is_a_drawer_for_odds_and_ends()
    {
        var drawers = Product
            .Sources.SelectMany(f => f.Path.Split('/')[..^1])
            .Where(folder => folder is "Common" or "Core" or "Shared" or "Utils" or "Helpers" or "Extensions" or "Misc")
            .Distinct(StringComparer.Ordinal);

        Findings.AssertNone(drawers);
    }

    [Fact]
    public void A_file_is_named_after_a_type_in_it()
    {
        var others = Product
            .Sources.Where(f => f.Name != "Program")
            .Where(f => TypeDeclaration().Matches(f.Code).All(m => m.Groups["name"].Value != f.Name))
            .Select(f => $"{f.Path} declares no {f.Name}.");

        Findings.AssertNone(others);
    }

    [Fact]
    public void A_namespace_is_the_path_to_its_folder()
    {
        var others = Product
            .Sources.Select(f => (File: f, Namespace: NamespaceDeclaration().Match(f.Code).Groups["name"].Value))
            .Where(f => f.Namespace.Length > 0 && f.Namespace != NamespaceOf(f.File.Path))
            .Select(f => $"{f.File.Path} is in {f.Namespace}; its folder is {NamespaceOf(f.File.Path)}.");

        Findings.AssertNone(others);
    }

    [Fact]
    public void What_can_be_awaited_ends_in_Async_and_nothing_else_does()
    {
        var misnamed = Product
            .Assemblies.SelectMany(Product.TypesOf)
            // The methods of a delegate are the compiler's.
            .Where(t => !t.IsSubclassOf(typeof(Delegate)))
            .SelectMany(t => t.GetMethods(Declared))
            .Where(m => !m.IsSpecialName && !m.IsDefined(typeof(CompilerGeneratedAttribute)))
            // Local functions and lambdas; explicit implementations of interfaces.
            .Where(m =>
                !m.Name.Contains('<', StringComparison.Ordinal) && !m.Name.Contains('.', StringComparison.Ordinal)
            )
            .Where(m => IsAwaited(m.ReturnType) != m.Name.EndsWith("Async", StringComparison.Ordinal))
            .Where(m => !IsNamedByTheFramework(m))
            .Select(m => $"{m.DeclaringType}.{m.Name} returns {m.ReturnType.Name}.");

        Findings.AssertNone(misnamed);
    }

    [Fact]
    public void Test_names_are_sentences()
    {
        var words = Product
            .TestSources.Where(f => f.Path.EndsWith("Tests.cs", StringComparison.Ordinal))
            .SelectMany(f =>
                TestMethod()
                    .Matches(f.Code)
                    .Select(m => m.Groups["name"].Value)
                    .Where(name => name.Count(c => c == '_') < 2)
                    .Select(name => $"{f.Path}: {name}")
            );

        Findings.AssertNone(words);
    }

    private static bool IsAwaited(Type type) =>
        type.IsAssignableTo(typeof(Task))
        || type == typeof(ValueTask)
        || (
            type.IsGenericType
            && (
                type.GetGenericTypeDefinition() == typeof(ValueTask<>)
                || type.GetGenericTypeDefinition() == typeof(IAsyncEnumerable<>)
            )
        );

    // An override, or the implementation of an interface from elsewhere.
    private static bool IsNamedByTheFramework(MethodInfo method)
    {
        var type = method.DeclaringType!;
        if (method.GetBaseDefinition().DeclaringType!.Assembly is var origin && !Product.Assemblies.Contains(origin))
            return true;
        return !type.IsInterface
            && type.GetInterfaces()
                .Where(i => !Product.Assemblies.Contains(i.Assembly))
                .Any(i => ((IList)type.GetInterfaceMap(i).TargetMethods).Contains(method));
    }

    private static string NamespaceOf(string path)
    {
        var folders = path.Split('/')[..^1];
        return "Verbatim." + string.Join('.', folders[1..]);
    }

    [GeneratedRegex(
        @"\b(?:class|record|record struct|record class|struct|interface|enum)\s+(?<name>[A-Z]\w*)",
        RegexOptions.ExplicitCapture,
        matchTimeoutMilliseconds: 1000
    )]
    private static partial Regex TypeDeclaration();

    [GeneratedRegex(
        "(Manager|Helper|Helpers|Util|Utils|Utility|Utilities|Common|Dto|Impl)$",
        RegexOptions.ExplicitCapture,
        matchTimeoutMilliseconds: 1000
    )]
    private static partial Regex Vague();

    [GeneratedRegex(
        @"^namespace (?<name>[\w.]+);",
        RegexOptions.ExplicitCapture | RegexOptions.Multiline,
        matchTimeoutMilliseconds: 1000
    )]
    private static partial Regex NamespaceDeclaration();

    [GeneratedRegex(
        @"\[(?:Fact|Theory)[^\]]*\](?:\s*\[[^\n]*\])*\s*public (?:async )?(?:void|Task)\s+(?<name>\w+)",
        RegexOptions.ExplicitCapture,
        matchTimeoutMilliseconds: 1000
    )]
    private static partial Regex TestMethod();
}
