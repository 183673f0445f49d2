namespace Cerver.Api.Errors;

/// <summary>A refusal that a handler returns.</summary>
internal sealed class RefusalAnswer(Refusal refusal) : IResult
{
    public Task ExecuteAsync(HttpContext httpContext) => Refusals.WriteAsync(httpContext, refusal);
}
