namespace Cerver.Tests.Search.Quality;

/// <summary>
/// What is said in the sessions that questions are about. A session begins with <c># domain | name | harness | source | day</c> (day 0 is Monday, 5 January 2026);
/// an entry with who speaks: <c>u</c>ser, <c>a</c>ssistant, <c>t</c>hinking, <c>c</c>all of a tool, its <c>r</c>esult, <c>s</c>ystem; and, when questions are about
/// it, its key. The world puts other talk of the domain around it.
/// </summary>
internal static class Scenes
{
    /// <summary>The texts.</summary>
    public const string Text = """
        # incident | payout worker errors | claude | pagerduty | 3
        u> The payout worker is red since 04:10, have a look at its log please.
        c> bash {"command":"kubectl logs deploy/payout-worker --since=2h | grep -i err | tail -5"}
        r ledger-4417> 2026-01-08T04:11:52Z ERROR payout-worker[1] settle failed code=ERR_PAYOUT_LEDGER_4417 batch=19 retryable=false
          2026-01-08T04:11:53Z ERROR payout-worker[1] giving up on batch 19 after 1 attempt
        a> The batch is refused because its ledger account is closed, so retrying does not help. I would park batch 19 and reopen the account with finance.

        # incident | payout worker errors again | claude | pagerduty | 11
        c> bash {"command":"kubectl logs deploy/payout-worker --since=1h | grep -i err | tail -5"}
        r> 2026-01-16T02:40:00Z ERROR payout-worker[1] settle failed code=ERR_PAYOUT_LEDGER_4471 batch=7 retryable=true
          2026-01-16T02:41:02Z INFO payout-worker[1] batch 7 settled on attempt 2
        r> 2026-01-16T03:02:11Z ERROR payout-worker[2] settle failed code=ERR_PAYOUT_LEDGER_4410 batch=8 retryable=true
        a> Those two codes are transient; the worker got through by itself, nothing to do.

        # support | printer fleet tickets | codex | zendesk | 8
        u> Ticket 88120: copying to the file share breaks on three laptops.
        r io-device> robocopy : ERROR 1117 (0x8007045D) The request could not be performed because of an I/O device error. Retrying in 30 seconds
        a> That code points at the disk of the share and not at the laptops; I asked the site to swap the drive in bay 4.
        r> ERROR 5 (0x80070005) Access is denied. robocopy \\fs02\scans
        u> And what about the label printers that go down whenever someone prints a PDF?
        a printer-workaround> Until the vendor ships a fix, have them print with the generic PCL6 driver, or tick "print as image" in the PDF viewer; both avoid the crash in the
          spooler, which the v7.2 driver causes on embedded fonts.

        # backend | lost order event | claude | slack | 4
        u> Customer says order 7c9e6679 never arrived in the warehouse. Full id is in the ticket.
        c uuid-call> sql {"query":"select * from outbox where aggregate_id = '7c9e6679-7425-40de-944b-e07fc1f90ae7'"}
        r uuid-row> id | aggregate_id | topic | sent_at
          88213 | 7c9e6679-7425-40de-944b-e07fc1f90ae7 | orders.placed | null
          (1 row)
        a uuid-answer> Found it: the outbox row of 7c9e6679-7425-40de-944b-e07fc1f90ae7 was never sent, the relay skipped it because its payload is larger than the limit.

        # backend | tenant sharding refactor | codex | github | 9
        u> Move the shard lookup out of the request handler.
        c shard-call> edit_file {"path":"src/routing/shards.ts","new":"export function resolveTenantShard(tenantId: string): Shard {\n  return ring.lookup(hash(tenantId));\n}"}
        r> edited src/routing/shards.ts, 12 insertions, 30 deletions
        r shard-trace> TypeError: Cannot read properties of undefined (reading 'lookup')
              at resolveTenantShard (src/routing/shards.ts:41:15)
              at handleRequest (src/http/handler.ts:88:20)
              at processTicksAndRejections (node:internal/process/task_queues:95:5)
        a> The ring is built lazily, so the module has none at import time. I pass it in instead.

        # backend | tenant cleanup | codex | github | 10
        c> grep {"pattern":"resolveTenant\\b|resolveShard\\b|shardTenant","path":"src"}
        r> src/admin/tenants.ts:14: const t = resolveTenant(req.params.id)
          src/admin/shards.ts:22: const s = resolveShard(t)
          src/admin/report.ts:8: // tenant and shard are resolved by the caller
        a> Three places resolve a tenant or a shard on their own; I left them as they are.

        # incident | orders deadlock | claude | pagerduty | 16
        u> Orders API throws 500s now and then since the deploy.
        r deadlock> ERROR: deadlock detected (SQLSTATE 40P01)
          DETAIL: Process 4122 waits for ShareLock on transaction 77120; blocked by process 4188.
          CONTEXT: while updating tuple (12,4) in relation "order_item"
        a> Two transactions update the items of an order in different order. Sorting the ids before the update removes the cycle.

        # incident | serialization retries | claude | pagerduty | 17
        r> ERROR: could not serialize access due to concurrent update (SQLSTATE 40001), retry 1 of 3
        a> 40001 is expected under serializable isolation and retried by the driver. No deadlock here.

        # release | security bulletin sweep | claude | github | 12
        u> Anything critical in this week's scan?
        r cve> trivy image registry.local/atlas-edge:4.18.2
          libxslt 1.1.39 CVE-2025-31337 CRITICAL fixed in 1.1.43
          zlib 1.3.0 CVE-2025-20111 LOW
        a> One critical one, in libxslt; the base image of tomorrow has the fix.

        # release | security bulletin of february | claude | github | 29
        r> trivy image registry.local/harbor-ui:2.4.0
          libexpat 2.6.1 CVE-2025-31373 HIGH fixed in 2.6.4
          zlib 1.3.0 CVE-2025-20111 LOW
        a> Nothing critical this time, one high one in libexpat.

        # release | atlas-edge 4.18 train | claude | github | 14
        u> Is the third candidate out?
        r rc3> + git tag -s v4.18.2-rc.3 -m "candidate 3"
          + git push origin refs/tags/v4.18.2-rc.3
          * [new tag] v4.18.2-rc.3
        a> Tagged and pushed, the pipeline builds it now.
        r> + git tag -s v4.18.2-rc.1 -m "candidate 1"
        r> atlas-edge v4.18.3 is planned for the week after

        # release | canary of atlas-edge | claude | github | 15
        u> How is the canary doing?
        r canary> rollout/atlas-edge: step 1 of 5, weight 5
          analysis run atlas-edge-17 failed: error-rate 0.031 > 0.010
          canary aborted at 5 percent, traffic back on stable
        a> It did not get past the first step: the error rate was three times what is allowed, so the rollout undid itself.

        # release | canary of harbor-ui | claude | github | 22
        r> rollout/harbor-ui: step 3 of 5, weight 50
          canary promoted at 50 percent, no failed analysis
        r> rollout/harbor-ui: the operator aborted a canary yesterday at 25, which was a mistake of 5 minutes, 99 percent were not affected
        a> The canary of harbor-ui goes on at half of the traffic.

        # infra | replication tuning | codex | cron | 18
        u> The standby falls behind at night. What is configured?
        r wal-senders> wal_level = replica
          max_wal_senders = 4
          wal_keep_size = 2GB
          hot_standby = on
        r> max_wal_size = 8GB
          checkpoint_timeout = 15min
        a analytics-lag> Replication lag of the analytics standby comes from the nightly report that holds a snapshot for two hours. With hot_standby_feedback off it would be cancelled
          instead of delaying the replay.

        # infra | staging replication | codex | cron | 19
        r> staging: replication lag 340 s on the analytics standby, replay paused
        a> On staging the replication lag of the analytics copy is a known effect of the seeding job.

        # billing | ledger reconciliation job | codex | github | 5
        u> The month-end job leaves cents behind. Where do they come from?
        c reconciler-class> edit_file {"path":"services/ledger/reconcile.go","new":"type LedgerReconcilerJob struct {\n\tclock Clock\n\tbooks BookReader\n}\n\nfunc (j *LedgerReconcilerJob) Run(ctx context.Context) error {"}
        r reconcile-go> services/ledger/reconcile.go:117:9: cannot use total (variable of type float64) as Cents value in return statement
        a drift> Reconciliation showed a drift of 11 cents per thousand bookings, all of it from rounding half up in the tax lines. Half even makes it vanish.

        # billing | ledger questions | codex | github | 6
        r> services/ledger/entries.go:40: // the ledger is append only, reconcile elsewhere
        a> The job that reconciles is another one; the ledger itself only adds.
        r> services/billing/reconcile_test.go:12: ok

        # backend | gateway throttling | codex | github | 20
        u> Requests of the same client are cut off too early.
        c throttle> edit_file {"path":"gateway/limits.py","old":"WINDOW = 60","new":"def computeThrottleWindow(plan):\n    return 10 if plan == 'free' else 60"}
        r> 14 passed in 0.81s
        a partner-limit> The partner API allows 600 requests per minute and key, and we count per address. I changed the limiter to count per key, so a partner behind one proxy is
          no longer cut off at a rate of someone else.

        # backend | limiter questions | codex | github | 21
        a> The window of the limiter is a minute; the throttle for free plans is separate from it.
        r> throttle.py:3 class Throttle: pass

        # billing | webhook hardening | claude | slack | 7
        u> Make duplicates harmless in the webhook handler.
        r idem-ttl> # config/webhooks.env
          WEBHOOK_CONCURRENCY=8
          IDEMPOTENCY_KEY_TTL_HOURS=72
          WEBHOOK_DEADLINE_MS=9000
        c webhook-secret> read_file {"path":"config/secrets.example.yaml","note":"find where stripe_webhook_secret is declared"}
        a adyen-signature> The webhook signature of Adyen is an HMAC over selected fields, not over the raw body, so our check fails whenever a field is null. I join the fields with
          an empty text for those.

        # billing | stripe signature | claude | slack | 8
        a> Stripe puts the time in the header of a webhook, and the signature covers time and raw body. Ours read the parsed body.
        r> stripe listen --forward-to localhost:4242/webhook
          ready, your signing secret was printed

        # frontend | profile photo bug | cursor | linear | 13
        u> Uploading a tall picture stretches it.
        c cropper> read_file {"path":"web/src/components/AvatarCropper.tsx"}
        r> export function Avatar({ src }: Props) { return <img className="avatar" src={src} /> }
        a> The crop rectangle is taken from the container before the picture has loaded. Waiting for onLoad gives the true ratio.

        # frontend | cart flashes empty | cursor | linear | 17
        u> After login the basket is empty for a second.
        c hydrate> edit_file {"path":"web/src/cart/store.ts","new":"useEffect(() => { hydrateCartFromSession(session) }, [session])"}
        a> The store starts empty and is filled in an effect; I fill it before the first paint now.
        r> Warning: Text content did not match. Server: "0" Client: "3" hydrate failed because the initial UI does not match, see cart

        # frontend | coupon field | cursor | linear | 19
        u> Coupons with a space at the end are refused.
        r coupon-path> web/src/checkout/useCouponField.ts
            31:   const code = input.value
            32:   if (!/^[A-Z0-9]+$/.test(code)) setError('invalid')
        a> Trimmed before the check.

        # frontend | dark theme problems | cursor | linear | 23
        u> People see white text on white.
        a dark-mode> I rolled back the dark mode flag for everyone but staff: the contrast tokens of the settings page are missing. The feature comes back once they are merged.
        t> The flag has a sticky cohort, so turning it off for some keeps it for others; a full rollback needs the kill switch.
        u> Fine. And why is the main chunk so large?
        a moment-size> moment with all its locales is 290 kB of the bundle. Replacing it takes the main chunk from 812 to 540 kB in size.

        # frontend | choosing a date library | cursor | linear | 24
        u> We need one way to deal with dates in the web app. Compare the candidates.
        t> Candidates are luxon, dayjs and date-fns. Tree shaking matters, time zones matter.
        a date-library> I suggest date-fns with its tz add-on: it is tree-shakable, works on native Date, and we only need six functions. luxon was nicer to read but 70 kB.
        u> Agreed, go with that one.

        # infra | wal directory filling up | claude | pagerduty | 25
        u> Disk alert on db-3.
        r pg-wal> 91G /var/lib/postgresql/15/main/pg_wal
          3.1G /var/lib/postgresql/15/main/base
        a> An abandoned replication slot keeps segments. Dropping slot "debezium_old" frees them within minutes.

        # infra | base directory growth | claude | pagerduty | 26
        r> 44G /var/lib/postgresql/15/main/base
          1.0G /var/lib/postgresql/14/main/pg_wal
        a> Bloat in one table, not the log.

        # infra | edge proxy module | codex | github | 21
        u> Split the proxy module so that staging can have its own listener.
        c edge-tf> read_file {"path":"terraform/modules/edge_proxy/main.tf"}
        r> resource "aws_lb_listener" "edge" { port = var.listener_port }
        r staging-port> $ terraform output -raw staging_listener
          staging edge-proxy listens on 9443, health on 9901
        a> Done; production keeps 443.

        # infra | proxy of production | codex | github | 22
        r> production edge-proxy listens on 443, health on 9900, staging not touched
        a> The proxy in production uses the default port, and staging has another one.
        u> Which port was it for metrics?
        a> Metrics of the proxy are on 9102.

        # infra | terraform state move | claude | github | 27
        u> We cannot keep the state on laptops. Where did you put it?
        a tf-state> All workspaces now keep their Terraform state in the bucket acme-tfstate-eu, versioned and locked through DynamoDB. The local files are deleted.
        r> Successfully configured the backend "s3"! Terraform will automatically use this backend unless the backend configuration changes.

        # infra | staging overlay | codex | github | 28
        c overlay> edit_file {"path":"k8s/overlays/staging/kustomization.yaml","new":"images:\n  - name: atlas-edge\n    newTag: 4.18.3"}
        r> kustomize build k8s/overlays/production | kubeconform -strict
          k8s/base/kustomization.yaml is valid
        a> Only staging gets the new tag.

        # pipeline | customer dimension backfill | codex | airflow | 10
        u> Rerun the backfill for two years ago.
        c backfill> bash {"command":"psql -v ON_ERROR_STOP=1 -f etl/dim_customer/backfill_2024.sql"}
        r> INSERT 0 1200441
        r> etl/dim_customer/backfill_2023.sql was not touched, etl/dim_product/backfill_2024.sql neither
        a> 1.2 million customers were written again.

        # pipeline | tenant mixup in reports | codex | airflow | 12
        u> Tenant 12 sees the numbers of tenant 21.
        a join> The report has a left join on tenant_id only for the first table; the second one is joined on the account, which two tenants share. I added the tenant there.
        t> A left outer join on account_id, tenant_id is only in the where clause, that makes it an inner join.

        # pipeline | lake schema problems | codex | airflow | 15
        u> The loader fails on yesterday's files.
        r parquet> pyarrow.lib.ArrowInvalid: Schema mismatch in part-00031.parquet: column price was double in table, decimal128(12, 2) in file
        a> The producer moved prices to decimals. I cast on read and open a ticket for the table.
        u> And the bad partitions?
        a quarantine> I quarantined the partition dt=2026-01-19 under lake/_bad, so that consumers read the ones that are sound; it is replayed when the table has been changed.

        # pipeline | schema registry | codex | airflow | 16
        r> schema registry: subject prices-value is BACKWARD compatible, no mismatch
        a> Parquet files are unaffected, it is only the registry's view that is stale.

        # pipeline | orders migration check | claude | airflow | 30
        u> Compare old and new after the migration of orders.
        c> sql {"query":"select (select count(*) from legacy.orders) - (select count(*) from orders) as missing"}
        r rows-missing> missing
          ---------
          1873
          (1 row)
        a rows-answer> 1,873 orders did not make it: all of them have a null currency, which the new table does not take. They are in the reject file and can be loaded with a default.

        # pipeline | customers migration check | claude | airflow | 31
        u> Now the same for the migration of customers, please.
        a> Counts of rows are equal, nothing was lost this time.

        # backend | signing keys | claude | slack | 2
        u rotate> Two things. Please rotate the signing key before Monday, and tell mobile when it is done.
        a> I will do it on Saturday at 09:00 and keep the old one valid for a day.
        u> Rotate nothing else, the key for signing of e-mails stays as it is until a Monday in March.

        # infra | registry pulls fail | claude | pagerduty | 20
        r harbor-reset> Failed to pull image "harbor-registry.local/atlas-edge:4.18.1": read tcp 10.2.0.4:51512->10.9.1.1:443: read: connection reset by peer
        a> The registry closes connections when its own disk is slow. I moved its cache to the faster volume.
        r> harbor-registry health: ok, connections by peer: 41, reset counter 0

        # infra | batch node out of disk | claude | pagerduty | 13
        r scratch-full> gzip: /scratch/export/2026-01-17.csv.gz: No space left on device
        a> The export wrote everything uncompressed first. It pipes now.

        # support | contact of the notary | codex | email | 9
        u> Which lawyer did we have for the lease?
        a hofmann> Dr. Katharina Hofmannsthal signed for the landlord's side; her office is in Graz.

        # frontend | static files from a second host | cursor | linear | 26
        c cdn-hosts> edit_file {"path":"web/next.config.mjs","new":"fallback_cdn_hosts: ['cdn2.example.com', 'cdn3.example.com']"}
        a> When the first host fails twice the loader takes the next.
        r> next.config.mjs: cdn host is cdn.example.com, no fallback

        # infra | service routing on new nodes | codex | github | 31
        a ipvs> The new nodes run kube-proxy in IPVS mode with the sh scheduler, which is why connections of one client stick to one pod.
        r> iptables mode on the old nodes, random scheduler

        # infra | transaction ids running out | claude | pagerduty | 5
        u> Alert: database age above 1.5 billion.
        a wraparound> Autovacuum was blocked by a prepared transaction from November. I rolled it back and ran VACUUM (FREEZE) by hand on the two oldest tables; wraparound is now 1.9 billion
          transactions away.
        r> INFO: vacuuming "public.audit_log" to prevent something, pages removed 0

        # billing | invoices sent twice | claude | zendesk | 33
        u> Customers of the March run got two PDFs.
        a double-invoices> The scheduler ran twice because its lock expired in the middle: 214 accounts got duplicate invoices for March. I voided the second of each and told support.
        u> And what about those whose card was debited twice?
        a double-charge> That is a separate bug: the client retried the payment after a timeout without an idempotency key. Since this morning the order id is the key, so the provider
          answers with the first payment and nobody is debited again.

        # release | unstable tests | codex | github | 6
        u> test_week_rollup fails on some machines.
        a flaky> It is flaky because it takes today's date in the zone of the machine: between 23:00 and midnight UTC the week differs. The test has a fixed timezone and clock now.

        # backend | websockets eat memory | claude | pagerduty | 9
        u> The realtime gateway is restarted every six hours.
        a ws-leak> Heap snapshots show a listener per reconnect that is never taken off: every websocket leaks its subscription when the socket closes before the handshake is over. Memory
          of the gateway is flat since the fix.

        # support | refunds for yearly customers | codex | zendesk | 14
        u> A customer with a yearly subscription wants money back after five months.
        a refund-policy> By our policy an annual plan is refunded in full within 14 days; later it is pro rata, less 10 percent. For five months that is 52.50 EUR.
        u> OK. The next one says the export is useless.
        a csv-complaint> She complained that Excel opens the CSV with everything in the first column, since we separate by commas and her system expects semicolons; and umlauts are
          broken, as there is no byte order mark.

        # travel | three days in lisbon | claude | app | 11
        u> Find me something central in Lisbon for two nights.
        a lisbon> The Santa Justa is free for both nights at 164 EUR; late checkout until 15:00 costs nothing there. The hotel next to it is cheaper but has no lift.
        u> Great. For the flight, remember that I always want to sit where I can get up without climbing over people.
        a aisle> Noted: aisle seats for you, preferably in the front third. I will not offer window seats any more.

        # travel | weekend in porto | claude | app | 12
        a> The hotel in Porto has checkout at noon; being late costs 30 EUR.
        u> Window or aisle does not matter to my wife.

        # infra | ingress outage | claude | pagerduty | 32
        u> Everything behind ingress-2 shows a warning in browsers.
        a ingress-cert> The certificate of the ingress expired tonight: the renewal job could not write its challenge since the path rule was removed. I issued a new one by hand.
        u> When do the others run out?
        a partner-cert> Of the gateway that partners use: 14 August 2026. The internal ones are renewed every 60 days by themselves.

        # release | helm trouble | codex | github | 18
        c> bash {"command":"helm history atlas-edge -n prod"}
        a helm-rollback> Revision 41 has a broken probe. helm rollback atlas-edge 40 took a minute, and production is on the revision of Thursday again.

        # shopping | headphones | claude | app | 16
        u> They hurt my ears. Can I send them back?
        a headphones> Yes: the return window for the noise-cancelling headphones is open until 2 February. I made a label; bring the box to any parcel shop.
        u> Are there others that cancel noise well?
        a> Three others do; the headphones by Orlo have the softest pads.

        # research | comparing embedding models | claude | notebook | 7
        u> Summarize what we measured.
        a embedding-bench> On our benchmark of 500 questions the small embedding model has a recall@10 of 0.87 and the large one 0.91, at six times the price. For the archive the small
          model is good enough.
        r> benchmark of rerankers: recall does not change, the model only orders

        # research | chunking paper | claude | notebook | 8
        u> Read the paper on chunking and tell me its main result.
        a chunk-paper> The authors find that pieces of 200 to 400 tokens do best for retrieval on five of six data sets; overlap beyond 15 percent brought nothing, and long pieces hurt
          precision more than they help recall.

        # research | another paper | claude | notebook | 9
        u> And the paper about prompt size?
        a> It concludes that the size of a prompt matters less than where the evidence stands in it. It says nothing of retrieval.

        # incident | handing over the pager | claude | slack | 21
        u> Prepare the handover for the next one on call.
        a handover> For whoever takes over the paging rotation at 10:00: two alerts are silenced until Thursday (db-3 disk, cdn latency), one incident is open, and the runbook of the payout
          worker has a new section. That is the whole handover.

        # billing | event transport decision | claude | slack | 6
        u> Let's settle how billing events travel. What did the comparison give?
        t> Volume is about 40 events a second at most. Ordering per account matters, replay matters for audits. Operating a broker costs a person.
        a kafka-no> My recommendation is a table as an outbox with a poller, and no Kafka: at 40 events per second it would be one more cluster to operate for nothing, and the billing
          database gives us order and replay for free.
        u kafka-no2> OK, so Kafka is off the table for billing. Write that into the decision log.

        # pipeline | clickstream transport | claude | slack | 13
        u> And for clickstream events?
        a> There Kafka is the right choice: 90,000 events a second, many consumers. We decided for it in spite of what it costs.
        u> Why did the billing team not want it?
        a> I do not know, that was another discussion.

        # pipeline | kafka upgrade | codex | airflow | 20
        a> Kafka 3.9 is rolled out, events of billing are not on it.
        r> kafka-topics --list: clicks, carts, billing-test-events

        # incident | emergency change of the orders table | claude | slack | 16
        u> We need to drop the check constraint in production now. Who can give a go?
        a> By the book that is the database owner or the incident commander.
        u approval> Priya Raman gave her OK at 14:32 as incident commander, go ahead with the alter table.
        r> ALTER TABLE

        # release | schema changes in the next train | claude | github | 17
        a> Two schema changes are planned, both approved by review. None is an emergency.
        u> Who approved the change of the audit table?
        a> Tom did, on Monday.

        # incident | checkout down on the 14th | claude | pagerduty | 10
        u> Write the postmortem of yesterday's outage of the checkout.
        t> Timeline: 18:02 deploy of tax-service, 18:05 latency, 18:09 pool exhausted, 18:31 rollback.
        a checkout-root> Root cause: the new tax-service opened a connection per line item, so the pool of the checkout database was exhausted within four minutes of the deploy. Customers
          could not pay between 18:09 and 18:31.
        u> Add what we change.
        a> A limit of two connections per request, an alert at 70 percent of the pool, and a canary for tax-service.

        # incident | search down in february | claude | pagerduty | 36
        a> Root cause of the outage of search in February: a full disk. Checkout was not affected.

        # infra | capacity planning | claude | slack | 28
        u> What would we pay if we committed for a year?
        a reserved-cost> Twelve m6i.4xlarge reserved for one year without upfront come to 3,940 USD a month, against 6,270 on demand.
        u> And the capacity for the test cluster?
        a> That one stays on spot.

        # support | slow e-mails | codex | zendesk | 29
        u> People wait half an hour for the mail that lets them choose a new password.
        a reset-delay> The reset mails go through the same queue as the newsletter, which sent 400,000 on Tuesday. They have a lane of their own now; the median is four seconds.

        # release | load test of the new gateway | codex | github | 35
        u> Did it hold?
        r load-numbers> k6: vus 800, iterations 5412210, http_reqs 9021/s, p95 88 ms, failed 0.00%
        a load-answer> It held 9,000 requests per second for ten minutes with a p95 of 88 ms. We were aiming for 8,000, so yes.

        # release | load test of search | codex | github | 36
        a> The load test of search was stopped: throughput of 300 per second, far from its target.

        # release | ios pipeline | codex | github | 25
        u> Release 9.3 does not get through CI for iPhones.
        r ios-log> error: Provisioning profile "Acme AppStore 2025" has expired. (in target 'Acme' from project 'Acme')
          ** ARCHIVE FAILED **
        a ios-answer> iOS archives fail since the provisioning profile ran out on Sunday; only release branches are signed with it, so main stays green. I requested a new profile.

        # release | android pipeline | codex | github | 26
        a> The Android build of the release branch fails because of a missing keystore, iOS is fine today.

        # incident | atlas-edge 5xx | claude | pagerduty | 24
        r bad-gateway> atlas-edge nginx: 502 Bad Gateway 41/min, upstream prematurely closed connection
        a> The upstream restarts itself when it is out of memory.

        # incident | harbor-ui 5xx | claude | pagerduty | 24
        r> harbor-ui nginx: 504 Gateway Timeout 12/min
        r> harbor-ui nginx: 502 Bad Gateway 3/min

        # infra | failover exercise | claude | slack | 22
        a failover-drill> The failover drill with Aurora took 41 seconds until writes were accepted again; the pool had to be told to drop its connections.
        u> And MySQL?
        a> The drill for MySQL is next quarter; no failover was tried.

        # backend | hot key | claude | pagerduty | 33
        a stampede> When the price list expires, all pods compute it at the same moment: a cache stampede. One of them should refresh it early while the others take the old one.

        # backend | redis hot key | claude | pagerduty | 34
        a> A cache stampede on Redis after the failover, solved by a lock with a lease.

        # incident | upstream timeouts | claude | pagerduty | 27
        r> nginx: upstream timed out (110: Connection timed out) while reading response header
        r> nginx: upstream timed out (110: Connection timed out) while connecting to upstream
        a upstream-said> The upstream timed out since its thread pool is taken up by one slow report, so I gave reports a pool of their own.

        # backend | retry design | codex | slack | 26
        u> Design the retries of the client.
        t retry-thought> A retry budget of ten percent per minute keeps a bad minute from becoming a storm, whereas a fixed count of three multiplies load by four.
        a> I suggest a budget for retries of ten percent of the requests.
        a jitter> Each retry waits with full jitter between nothing and the cap, so that clients spread out.

        # backend | retry of the importer | claude | slack | 27
        a> The importer does a retry with jitter already, and its budget is fixed.

        # release | freeze over the holidays | claude | slack | 30
        u freeze> From Thursday 18:00 until Monday 06:00 there is a deploy freeze for everything but fixes of incidents.
        a> Understood, I will queue merges until then.

        # release | freeze bot | claude | cron | 30
        s> deploy freeze starts in 2 hours
        s> deploy freeze is over

        # pipeline | plan of the warehouse move | claude | slack | 34
        u migration-user> Here is my migration plan: first copy the cold tables, then double writes for a week, then switch readers, last of all drop the old ones.
        a> The migration plan looks sound; I would switch readers before the second week.
        a> I split the migration plan into nine tickets.

        # billing | storage quotas | codex | billing-bot | 32
        a quota> Quota of the team plan was raised from 200 to 500 GB with the new prices, and existing customers get it on their next invoice.

        # billing | storage quotas in january | codex | billing-bot | 4
        a> Quota of the team plan is 200 GB and nobody asked for more.

        # billing | quota by chat | claude | slack | 32
        a> The quota is discussed in the channel of billing, no decision yet.

        # zh | 订单库升级 | claude | feishu | 14
        u> 昨晚的升级怎么样了？
        a zh-migration> 订单数据库迁移已于凌晨三点完成，共搬运四千二百万行，耗时五十分钟，没有丢失数据。
        u> 那服务为什么还会报错？
        a zh-pool> 应用的连接池只有十个连接，高峰期等待超时，我已经把上限调到四十。

        # zh | 用户库备份 | claude | feishu | 15
        a> 用户数据库备份完成，迁移还没有开始。
        a> 连接超时是网络问题，和连接池无关吗？还在查。

        # zh | 事件方案讨论 | claude | feishu | 16
        u> 账单事件怎么传？
        a zh-queue> 我们决定不引入消息队列，因为每秒只有几十个事件，用数据库里的发件箱表就够了，还少维护一个集群。

        # zh | 日志方案讨论 | claude | feishu | 17
        a> 日志量很大，所以采用消息队列，消费者有六个。

        # ja | 夜間ジョブの確認 | codex | slack | 18
        u> 昨夜のジョブは大丈夫でしたか。
        a ja-backup> 定期バックアップは二時十五分に失敗しました。保存先の容量が不足していたため、古い世代を削除して再実行し、成功しています。
        u> 倉庫のほうはどうですか。
        a ja-stock> 在庫連携のバッチは、商品コードに全角文字が含まれていたため停止していました。変換処理を追加しました。

        # ja | 朝の確認 | codex | slack | 19
        a> バックアップは成功、在庫の数値も一致しています。定期点検は来週です。

        # ko | 결제 장애 | claude | slack | 20
        u> 어제 결제가 왜 안 됐나요?
        a ko-payment> 결제 오류의 원인은 카드사 인증서 만료였습니다. 새 인증서로 교체한 뒤 모두 정상입니다.
        u> 다시 그러면 어떻게 하죠?
        a ko-retry> 실패한 요청은 최대 세 번까지 재시도하도록 바꿨고, 간격은 두 배씩 늘어납니다.

        # ko | 배송 조회 | claude | slack | 21
        a> 배송 조회 오류는 화면 문제였고 결제와는 관계가 없습니다.

        # de | Mietvertrag Büro | claude | email | 12
        u> Wann kommen wir aus dem Vertrag heraus?
        a de-notice> Die Kündigungsfrist im Vertrag beträgt sechs Monate zum Quartalsende; um zum Jahresende auszuziehen, müssen wir bis Ende Juni schriftlich kündigen.

        # de | Verträge sichten | claude | email | 13
        a> Im Vertrag mit der Reinigung steht keine Frist, im Vertrag der Leitung eine von drei Monaten.

        # es | inventario de almacén | codex | email | 22
        u> ¿Cómo quedó el cambio de sistema?
        a es-inventory> La migración del inventario terminó anoche: 18 300 artículos cargados, doce rechazados porque no tenían unidad de medida.

        # es | inventario mensual | codex | email | 23
        a> El inventario de enero coincide con el sistema; la migración de clientes sigue pendiente.

        # ru | вход для сотрудников | claude | telegram | 24
        u> Почему никто не может войти?
        a ru-cert> Сертификат сервера входа истёк в воскресенье ночью. Выпустил новый на год и поставил напоминание за месяц до конца.

        # ru | настройка входа | claude | telegram | 25
        a> Сертификат проверен, срок до осени, вход работает. Пароль истёк только у двух сотрудников.

        # cron | disk watch | codex | cron | 15
        u> Check the disk of the build hosts.
        r> df: /builds 71% used
        r> df: /scratch 40% used
        a> All below the limit.
        """;
}
