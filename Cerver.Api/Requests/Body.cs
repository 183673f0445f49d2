using System.Reflection;
using Cerver.Errors;
using Microsoft.AspNetCore.Http.Metadata;

namespace Cerver.Api.Requests;

/// <summary>The JSON object that a request must carry.</summary>
internal sealed record Body<T>(T Value) : IEndpointParameterMetadataProvider
    where T : class
{
    /// <summary>Binds the parameter of a handler.</summary>
    public static async ValueTask<Body<T>> BindAsync(HttpContext context) =>
        new(await RequestBody.ReadAsync<T>(context)
            ?? throw new CerverException(CerverError.InvalidRequest, "This call needs a JSON object as its body."));

    public static void PopulateMetadata(ParameterInfo parameter, EndpointBuilder builder) =>
        builder.Metadata.Add(new BodyMetadata(typeof(T), IsRequired: true));
}

/// <summary>The JSON object that a request may carry; without one, all of its fields are absent.</summary>
internal sealed record OptionalBody<T>(T Value) : IEndpointParameterMetadataProvider
    where T : class, new()
{
    /// <summary>Binds the parameter of a handler.</summary>
    public static async ValueTask<OptionalBody<T>> BindAsync(HttpContext context) => new(await RequestBody.ReadAsync<T>(context) ?? new T());

    public static void PopulateMetadata(ParameterInfo parameter, EndpointBuilder builder) =>
        builder.Metadata.Add(new BodyMetadata(typeof(T), IsRequired: false));
}

/// <summary>Says what a route takes as its body.</summary>
/// <param name="Type">The shape.</param>
/// <param name="IsRequired">Whether it must be there.</param>
internal sealed record BodyMetadata(Type Type, bool IsRequired);
