using System.Buffers;
using System.Reflection;
using Cerver.Errors;
using Cerver.Operations;
using Microsoft.AspNetCore.Http.Metadata;

namespace Cerver.Api.Requests;

/// <summary>The JSON object that a request must carry.</summary>
/// <param name="Value">The object.</param>
/// <param name="Operation">The caller's name for the write, or null.</param>
internal sealed record Body<T>(T Value, Operation? Operation) : IEndpointParameterMetadataProvider
    where T : class
{
    /// <summary>Binds the parameter of a handler.</summary>
    public static async ValueTask<Body<T>> BindAsync(HttpContext context)
    {
        var (value, operation) = await RequestBody.ReadAsync<T>(context);
        return new(value ?? throw new CerverException(CerverError.InvalidRequest, "This call needs a JSON object as its body."), operation);
    }

    public static void PopulateMetadata(ParameterInfo parameter, EndpointBuilder builder) =>
        builder.Metadata.Add(new BodyMetadata(typeof(T), IsRequired: true));
}

/// <summary>The JSON object that a request may carry; without one, all of its fields are absent.</summary>
/// <param name="Value">The object.</param>
/// <param name="Operation">The caller's name for the write, or null.</param>
internal sealed record OptionalBody<T>(T Value, Operation? Operation) : IEndpointParameterMetadataProvider
    where T : class, new()
{
    /// <summary>Binds the parameter of a handler.</summary>
    public static async ValueTask<OptionalBody<T>> BindAsync(HttpContext context)
    {
        var (value, operation) = await RequestBody.ReadAsync<T>(context);
        return new(value ?? new T(), operation);
    }

    public static void PopulateMetadata(ParameterInfo parameter, EndpointBuilder builder) =>
        builder.Metadata.Add(new BodyMetadata(typeof(T), IsRequired: false));
}

/// <summary>A write that needs no body. One that is sent all the same is not looked at.</summary>
/// <param name="Operation">The caller's name for the write, or null.</param>
internal sealed record NoBody(Operation? Operation)
{
    /// <summary>Binds the parameter of a handler.</summary>
    public static ValueTask<NoBody> BindAsync(HttpContext context) =>
        ValueTask.FromResult(new NoBody(IdempotencyKey.Read(context.Request, ReadOnlySequence<byte>.Empty)));
}

/// <summary>Says what a route takes as its body.</summary>
/// <param name="Type">The shape.</param>
/// <param name="IsRequired">Whether it must be there.</param>
/// <param name="MediaTypes">How it may be declared; JSON when none is named.</param>
internal sealed record BodyMetadata(Type Type, bool IsRequired, params ImmutableArray<string> MediaTypes);
