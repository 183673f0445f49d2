using System.Globalization;
using System.Text;

namespace Cerver.Tests.Search.Quality;

/// <summary>The sessions that a cron opens every night for the backup: nearly all the same, as such sessions are. Written as <see cref="Scenes"/> are.</summary>
internal static class Nights
{
    private const int Count = 40;

    /// <summary>The texts.</summary>
    public static string Write()
    {
        var text = new StringBuilder();
        for (var night = 0; night < Count; night++)
        {
            var date = new DateTime(2026, 1, 5).AddDays(night);
            var day = date.ToString("dddd, d MMMM", CultureInfo.InvariantCulture);
            var isFriday = date.DayOfWeek == DayOfWeek.Friday;
            var (key, log, report) = Outcome(night);
            text.Append(CultureInfo.InvariantCulture, $$"""
                # cron | {{(night % 3 == 0 ? "" : "nightly backup")}} | codex | cron | {{night}}
                s> cron started this session: nightly-backup on db-3, {{date:yyyy-MM-dd}}
                u> Run the nightly backup, check its log and report.
                c> bash {"command":"/opt/jobs/nightly-backup.sh 2>&1 | tail -3"}
                r> {{date:yyyy-MM-dd}}T02:1{{night % 10}}:04Z {{log}}
                a {{(isFriday ? "night-friday" : key)}}> Report of the nightly backup of {{day}}: {{report}}

                """);
        }

        return text.ToString();
    }

    private static (string Key, string Log, string Report) Outcome(int night) => night switch
    {
        15 => ("night-token", "upload: 401 ExpiredToken", "it failed, because the credential for the upload was no longer valid. I renewed the token and the second attempt went through."),
        22 => ("night-disk", "pg_basebackup: could not write: No space left on device", "it failed. The target disk was full; I removed the copies of December and it is done now."),
        8 or 29 => ("", "ssh: connect to host vault-2: Connection timed out", "it failed, the vault was not reachable for an hour. The copy of the day before is good."),
        12 or 26 => ("", "checksum mismatch in base.tar.3", "it failed at the check of the third part. A token mismatch was ruled out, I ran it again."),
        4 or 18 => ("", "done in 3120 s, 212 GB, 2 warnings", "done with two warnings, of which one is new: the archive of the log was 40 minutes late."),
        _ => ("", $"done in {2_800 + (night * 7)} s, {200 + night} GB", $"done, {200 + night} GB, no warnings."),
    };
}
