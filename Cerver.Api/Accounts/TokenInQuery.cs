namespace Cerver.Api.Accounts;

/// <summary>
/// Marks a route whose callers may have their token in the query, because some of them cannot set a header. Addresses are logged in many places, so this is for routes
/// that have such callers and for no others.
/// </summary>
/// <param name="Name">The parameter.</param>
internal sealed record TokenInQuery(string Name);
