using System.Collections.Frozen;

namespace Cerver.Grains.Search;

/// <summary>
/// What is looked for when no entry has all that was asked for: the words of a question without those that only ask, in any of their forms; and of a script without
/// spaces, where a whole question is one run of characters, each pair by itself. What stands in quotes stays as it is. Pure.
/// </summary>
internal static class RelaxedQuery
{
    /// <summary>
    /// Words that questions are made of and that say nothing of their subject. They are not rare enough to be told by that: agents ask little, and what tools print has none.
    /// </summary>
    private static readonly FrozenSet<string> Asking = (
        "a about after again all also am an and any are as at be because been before but by can could did do does doing done for from get give had has have having her his how i if in "
        + "into is it its just let like me my of on or our over please she should so some tell than that the their them then there these they this those to too under until up us was "
        + "we were what when where which while who whom whose why will with would you your "
        + "als auch auf aus bei das dem den der des die ein eine einen einer es fur hat haben ich im ist mit nach nicht oder sich sie sind und uns von wann war waren warum was welche "
        + "welcher wer werden wie wir wird wo wurde zu zum zur "
        + "al como con cual cuando de del donde el en es esta fue la las lo los para por porque que quien se sin sobre su un una y "
        + "au aux avec ce cette comment dans du est et il le les ne nous ou par pas pour pourquoi quand quel quelle qui sont sur une "
        + "в во где для и из как какой когда кто мы на не но о от по почему с что это").Split(' ').ToFrozenSet(StringComparer.Ordinal);

    /// <summary>The query, relaxed.</summary>
    public static SearchQuery Of(SearchQuery query)
    {
        var telling = query.Required.Where(static group => !group.All(static term => term is { Words: [var word], IsQuoted: false } && Asking.Contains(word)));
        return query with { Required = [.. telling.DefaultIfEmpty(query.Required[0]).SelectMany(PartsOf)] };
    }

    private static IEnumerable<ImmutableArray<SearchTerm>> PartsOf(ImmutableArray<SearchTerm> group) =>
        group is [{ IsQuoted: false, Words.Length: > 1 } term] && term.Words.All(WordReader.IsPaired)
            ? term.Words.Select(word => ImmutableArray.Create(new SearchTerm([word], Whole: null, IsPrefix: false, IsQuoted: false)))
            : [[.. group.SelectMany(FormsOf)]];

    private static IEnumerable<SearchTerm> FormsOf(SearchTerm term) =>
        term is { IsQuoted: false, IsPrefix: false, Whole: null, Words: [var word] } ? WordForms.Of(word).Select(form => term with { Words = [form] }) : [term];
}
