using System.Collections.Immutable;
using Cerver.Sessions;

namespace Cerver.Tests.Search.Quality;

/// <summary>The questions, with the keys that their answers have in <see cref="Scenes"/> and <see cref="Nights"/>.</summary>
internal static class Questions
{
    /// <summary>All of them.</summary>
    public static ImmutableArray<SearchQuestion> All { get; } =
    [
        new("identifier", "ERR_PAYOUT_LEDGER_4417", "ledger-4417"),
        new("identifier", "0x8007045D", "io-device"),
        new("identifier", "7c9e6679-7425-40de-944b-e07fc1f90ae7", "uuid-call uuid-row uuid-answer"),
        new("identifier", "resolveTenantShard", "shard-call shard-trace"),
        new("identifier", "SQLSTATE 40P01", "deadlock"),
        new("identifier", "CVE-2025-31337", "cve"),
        new("identifier", "v4.18.2-rc.3", "rc3"),
        new("identifier", "max_wal_senders", "wal-senders"),

        new("part", "ledger reconciler", "reconciler-class"),
        new("part", "throttle window", "throttle"),
        new("part", "idempotency ttl", "idem-ttl"),
        new("part", "avatar cropper", "cropper"),
        new("part", "stripeWebhookSecret", "webhook-secret"),
        new("part", "hydrate cart", "hydrate"),

        new("path", "services/ledger/reconcile.go", "reconciler-class reconcile-go"),
        new("path", "/var/lib/postgresql/15/main/pg_wal", "pg-wal"),
        new("path", "terraform/modules/edge_proxy/main.tf", "edge-tf"),
        new("path", "checkout/useCouponField.ts", "coupon-path"),
        new("path", "etl/dim_customer/backfill_2024.sql", "backfill"),
        new("path", "overlays/staging/kustomization.yaml", "overlay"),

        new("phrase", "\"canary aborted at 5 percent\"", "canary"),
        new("phrase", "\"left join on tenant_id\"", "join"),
        new("phrase", "\"rotate the signing key\" monday", "rotate"),
        new("phrase", "\"connection reset by peer\" harbor-registry", "harbor-reset"),
        new("phrase", "\"no space left on device\" scratch", "scratch-full"),

        new("prefix", "reconcil* drift", "drift"),
        new("prefix", "quarantin* partition", "quarantine"),
        new("prefix", "Hofmann*", "hofmann"),
        new("prefix", "fallback_cdn_host*", "cdn-hosts"),
        new("prefix", "ipvs kube*", "ipvs"),

        new("words", "vacuum freeze wraparound", "wraparound"),
        new("words", "feature flag dark mode rollback", "dark-mode"),
        new("words", "duplicate invoices march", "double-invoices"),
        new("words", "flaky test timezone", "flaky"),
        new("words", "memory leak websocket gateway", "ws-leak"),
        new("words", "refund policy annual plan", "refund-policy"),
        new("words", "hotel lisbon late checkout", "lisbon"),
        new("words", "certificate expired ingress", "ingress-cert"),
        new("words", "parquet schema mismatch", "parquet"),
        new("words", "bundle size moment", "moment-size"),
        new("words", "helm rollback revision", "helm-rollback"),
        new("words", "rate limit partner api", "partner-limit"),
        new("words", "noise cancelling headphones return", "headphones"),
        new("words", "embedding model benchmark recall", "embedding-bench"),
        new("words", "paging rotation handover", "handover"),

        new(SearchQuestion.Natural, "what did the nightly backup cron report on friday", "night-friday"),
        new(SearchQuestion.Natural, "which night did the backup fail because the upload token had expired", "night-token"),
        new(SearchQuestion.Natural, "why did we decide against kafka for the billing events", "kafka-no kafka-no2"),
        new(SearchQuestion.Natural, "which port did the staging proxy use", "staging-port"),
        new(SearchQuestion.Natural, "who approved the emergency schema change in production", "approval"),
        new(SearchQuestion.Natural, "how did we fix the double charge bug", "double-charge"),
        new(SearchQuestion.Natural, "what was the root cause of the checkout outage in january", "checkout-root"),
        new(SearchQuestion.Natural, "when does the certificate of the partner gateway need to be renewed", "partner-cert"),
        new(SearchQuestion.Natural, "how much does the reserved capacity cost per month", "reserved-cost"),
        new(SearchQuestion.Natural, "what did the customer complain about with the CSV export", "csv-complaint"),
        new(SearchQuestion.Natural, "which library did we pick for date handling in the frontend", "date-library"),
        new(SearchQuestion.Natural, "why were password reset emails delayed", "reset-delay"),
        new(SearchQuestion.Natural, "did the load test reach the target requests per second", "load-answer load-numbers"),
        new(SearchQuestion.Natural, "where are the terraform state files stored now", "tf-state"),
        new(SearchQuestion.Natural, "does the user prefer a window or an aisle seat", "aisle"),
        new(SearchQuestion.Natural, "how many rows were lost in the orders migration", "rows-missing rows-answer"),
        new(SearchQuestion.Natural, "what did the paper conclude about chunk size for retrieval", "chunk-paper"),
        new(SearchQuestion.Natural, "why is the iOS build failing on the release branch", "ios-answer ios-log"),
        new(SearchQuestion.Natural, "what is the workaround for the printer driver crash", "printer-workaround"),

        new("language", "数据库迁移", "zh-migration"),
        new("language", "连接池 超时", "zh-pool"),
        new("language", "为什么不用消息队列", "zh-queue"),
        new("language", "定期バックアップ", "ja-backup"),
        new("language", "在庫連携", "ja-stock"),
        new("language", "결제 오류", "ko-payment"),
        new("language", "재시도", "ko-retry"),
        new("language", "Kündigungsfrist Vertrag", "de-notice"),
        new("language", "migracion inventario", "es-inventory"),
        new("language", "сертификат истек", "ru-cert"),

        new("filter", "upstream timed out", "upstream-said") { Role = EntryRole.Assistant },
        new("filter", "retry budget", "retry-thought") { EntryKind = "thinking" },
        new("filter", "nightly backup failed", "night-disk") { Since = 22, Until = 23 },
        new("filter", "deploy freeze", "freeze") { Source = "slack" },
        new("filter", "retry jitter", "jitter") { Harness = "codex" },
        new("filter", "port listens", "staging-port") { IsInSession = true },
        new("filter", "migration plan", "migration-user") { Role = EntryRole.User },
        new("filter", "quota team plan", "quota") { Source = "billing-bot", Since = 20 },

        new("not", "replication lag analytics -staging", "analytics-lag"),
        new("not", "webhook signature -stripe", "adyen-signature"),
        new("or", "\"gateway timeout\" OR \"bad gateway\" atlas-edge", "bad-gateway"),
        new("or", "Postgres OR Aurora failover drill", "failover-drill"),
        new("not", "cache stampede -redis", "stampede"),
    ];
}
