using Cerver.Api.Calls;
using Cerver.Computes;
using Microsoft.AspNetCore.Http.Features;

namespace Cerver.Api.Files;

/// <summary>A file that a caller sends, on its way to a sandbox in parts. Nothing of it is to be seen there before it is put in its place.</summary>
/// <param name="calls">The way to the sandbox.</param>
/// <param name="sandbox">The sandbox.</param>
/// <param name="uploadId">The name of the upload.</param>
internal sealed class FileUpload(GrainCalls calls, IComputeGrain sandbox, string uploadId)
{
    /// <summary>How long a body may take to arrive. One that takes longer keeps others from being sent.</summary>
    public static readonly TimeSpan TimeLimit = TimeSpan.FromMinutes(15);

    /// <summary>Passes a body on as it arrives.</summary>
    /// <returns>How many bytes it has.</returns>
    /// <exception cref="Cerver.Errors.CerverException">Whatever the sandbox refuses.</exception>
    /// <exception cref="BadHttpRequestException">408, and what the server says of a body that does not arrive.</exception>
    public async Task<long> TakeAsync(HttpContext context, TimeProvider time)
    {
        // How large it may be is known where it goes, which refuses the first part that is too much.
        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } size)
        {
            size.MaxRequestBodySize = null;
        }

        using var limit = new CancellationTokenSource(TimeLimit, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, context.RequestAborted);
        try
        {
            return await TakeAsync(context.Request, either.Token);
        }
        catch (OperationCanceledException late) when (limit.IsCancellationRequested)
        {
            throw new BadHttpRequestException("The body did not arrive in time.", StatusCodes.Status408RequestTimeout, late);
        }
    }

    /// <summary>Puts the file in its place.</summary>
    /// <exception cref="Cerver.Errors.CerverException">Whatever the sandbox refuses.</exception>
    public Task<FilePlaced> PlaceAsync(SandboxPath path, long size) => calls.ReadOutsideAsync(
        (sandbox, Place: new PlaceFile(uploadId, path, size)), static (call, token) => call.sandbox.PlaceFileAsync(call.Place, token), CancellationToken.None);

    /// <summary>Says that nothing will come of it. It is a hint: what nobody asks for any more goes after a while.</summary>
    public void Abandon() => sandbox.AbandonFileAsync(uploadId, CancellationToken.None).Ignore();

    private async Task<long> TakeAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        var begin = new BeginFile(uploadId, request.ContentLength);
        await calls.TellOutsideAsync((sandbox, begin), static (call, token) => call.sandbox.BeginFileAsync(call.begin, token), cancellationToken);
        var taken = 0L;
        while (request.ContentLength is null || taken < request.ContentLength)
        {
            // A new one for each part: a call that is not waited for any more may still be on its way with it.
            var data = new byte[Math.Min(FileParts.MaxBytes, (request.ContentLength - taken) ?? FileParts.MaxBytes)];
            var filled = await request.Body.ReadAtLeastAsync(data, data.Length, throwOnEndOfStream: false, cancellationToken);
            if (filled == 0)
            {
                break;
            }

            var part = new WriteFile(uploadId, taken, filled == data.Length ? data : data[..filled]);
            await calls.TellOutsideAsync((sandbox, part), static (call, token) => call.sandbox.WriteFileAsync(call.part, token), cancellationToken);
            taken += filled;
        }

        return taken;
    }
}
