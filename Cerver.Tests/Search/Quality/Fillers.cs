using System.Collections.Frozen;

namespace Cerver.Tests.Search.Quality;

/// <summary>
/// What is said in sessions of a domain that no question is about: sentences with gaps, a line each, begun with who speaks as in <see cref="Scenes"/>. They use the
/// words of the questions freely, in other connections.
/// </summary>
internal static class Fillers
{
    /// <summary>The lines of a domain.</summary>
    public static FrozenDictionary<string, string[]> ByDomain { get; } = Parse("""
        # incident
        u> {service} answers slowly since {time}, what changed?
        u> Is {service} still down? Customers of {customer} ask.
        u> The alert "{alert}" fired again, please look into it.
        a> The latency of {service} went from {n} to {ms} ms at {time}; nothing was deployed then, so I look at its database next.
        a> I restarted {service} on {host}. The error rate is back to normal, but the root cause is open.
        a> No customer lost data in this outage. The checkout was slow for {n} minutes, the database of {service} had too many connections.
        a> {person} approved the restart of {service}, and I told the channel at {time}.
        a> The failover of {service} took {n} seconds. The connection pool did not notice, so the pods had to be restarted.
        t> Errors began at {time}, the deploy of {service} was at {time}. That may be chance; compare with {day} of last week before blaming it.
        t> The gateway timeout is a symptom. Which upstream is it? {service} and {service} share a pool.
        c> bash {"command":"kubectl logs deploy/{service} --since=1h | tail -50"}
        c> bash {"command":"kubectl describe pod {service}-{sha} -n prod"}
        c> query_metrics {"query":"rate(http_errors_total{service=\"{service}\"}[5m])","from":"{time}"}
        r> {logs}
        r> {trace}
        r> NAME READY STATUS RESTARTS\n{service}-{sha} 1/1 Running {n}\n{service}-{sha} 0/1 CrashLoopBackOff {n}
        s> incident {id} was opened by the pager for {service}

        # cron
        u> Check the nightly jobs of {host}.
        u> Which cron jobs failed on {day}?
        a> All jobs of {day} went through but {job}, which needed a retry at {time}.
        a> The cron job {job} did not start on {host} because the one before was still running.
        a> {job} reported {n} warnings, none of them new. The backup of {service} has {n} GB.
        a> I moved {job} to {time}, so that it does not meet the backup any more.
        t> {job} failed on {day} and on {day}. Both times the host was {host}; the report of the cron daemon says exit code {n}.
        c> bash {"command":"journalctl -u {job}.service --since {date} | tail -20"}
        r> {logs}
        r> {date} {time} {host} CRON[{n}]: (root) CMD (/opt/jobs/{job}.sh)
        r> {job}: finished in {n} s, {n} files, exit 0
        s> cron started this session for {job} on {host}

        # pipeline
        u> The table {table} is empty for {date}, why?
        u> Add a column for the currency to {table}.
        a> {n} rows of {table} had no tenant; I send them to the reject table and write the rest.
        a> The migration of {table} is planned for {day}; rows are counted before and after.
        a> The schema of {table} in the lake has {n} columns, the one in the warehouse one more. The loader takes the union.
        a> The partition of {date} was written twice, so counts were double. I deleted the older files.
        t> The join of {table} with {table} can multiply rows when an account has several tenants. Check keys first.
        c> sql {"query":"select count(*), max(loaded_at) from {table} where dt = '{date}'"}
        c> edit_file {"path":"etl/{table}/load.sql","new":"insert into {table} select * from staging.{table} where dt = '{date}'"}
        r> count | max\n{n}{n} | {date} {time}
        r> [{date} {time}] INFO airflow.task: {table} finished, {n} rows
        r> pyarrow: read part-{n}.parquet, {n} row groups, schema unchanged
        r> {trace}

        # frontend
        u> The page {page} jumps when it loads on {browser}.
        u> Users on {browser} cannot click the button on {page}.
        a> The component re-renders {n} times, because its props are a new object each time. I memoize them.
        a> The bundle of {page} is {n} kB; most of it are icons that nobody uses. Its size goes down by a third when they are loaded on demand.
        a> Dark and light themes share the tokens now. The feature flag stays on for {n} percent.
        a> I chose the smaller library for {page}, it has no dependencies.
        t> Server and client disagree on the date, because of the time zone. Format it on the client, or pass the zone along.
        c> read_file {"path":"web/src/{page}/index.tsx"}
        c> edit_file {"path":"web/src/{page}/{component}.tsx","new":"const [open, setOpen] = useState(false)"}
        r> {trace}
        r> web/src/{page}/{component}.tsx\n  {n}:{n} warning React Hook useEffect has a missing dependency
        r> vite v6.0.{n} building for production... {n} modules transformed. dist/assets/{component}-{sha}.js {n} kB

        # release
        u> Cut the release {ver} of {service}.
        u> What is in {ver} of {service}?
        a> {ver} of {service} is tagged and waits for {person} to approve it.
        a> The canary of {service} is at {n} percent and looks fine.
        a> {n} tests failed on the release branch, all of them in the same file; {person} looks at it on {day}.
        a> I rolled {service} back to the revision before, since helm had lost a value.
        a> The load test of {service} starts at {time}; its target is a throughput of {n} per second.
        t> The schema change must be out before {service} {ver}. Order: migrate, deploy, clean up.
        c> bash {"command":"git log --oneline v{ver}..HEAD -- services/{service}"}
        c> bash {"command":"helm upgrade {service} charts/{service} --set image.tag={ver}"}
        r> {sha} fix: close the connection of {service}\n{sha} chore: bump {service} to {ver}
        r> Release "{service}" has been upgraded. REVISION: {n}
        r> FAIL tests/{service}/test_{job}.py::test_{component} - AssertionError: {n} != {n}

        # billing
        u> Customer {customer} says that the invoice of {date} is wrong.
        u> How many invoices are open for {customer}?
        a> The invoice of {customer} lacks the discount of the annual plan; I corrected it, and the difference is {n} EUR.
        a> Billing events of {date} arrived late, since {service} was down. All were booked by {time}.
        a> The webhook of the provider came twice, and the second one was ignored, as it should be.
        a> {person} decided that refunds above {n} EUR need a second pair of eyes.
        t> The charge is there once, the payment twice? Look at the ids of the provider before calling it a bug.
        c> sql {"query":"select * from invoice where account = '{customer}' and issued_on >= '{date}'"}
        c> http {"method":"GET","url":"https://billing.internal/v1/accounts/{uuid}/charges"}
        r> id | account | total | status\n{n} | {customer} | {n}.00 | open
        r> {"id":"{uuid}","status":"succeeded","amount":{n},"currency":"eur"}
        r> {logs}

        # support
        u> Ticket {n}: {customer} cannot log in since {day}.
        u> Please answer the ticket of {customer} on the export.
        a> I wrote to {customer} that the export is delayed until {time} and that nobody needs to do anything.
        a> The customer wants a refund for {n} days of outage. Our policy allows a credit.
        a> It was the password manager again: the mail for a new password had arrived after {n} minutes.
        a> {person} knows {customer} and will call on {day}.
        t> Tone: {customer} is annoyed for the third time. No standard text, say what happened.
        c> zendesk {"action":"reply","ticket":{n},"body":"Dear customer, the printer works again since {time}."}
        r> ticket {n} updated, status pending, assignee {person}
        r> {n} tickets of {customer}, {n} open, oldest of {date}

        # backend
        u> Write a test for {component} in {service}.
        u> Why is {component} called {n} times per request?
        a> {component} holds a lock while it calls {service}; I moved the call out of it.
        a> The cache of {component} had no limit. It keeps {n} entries now, and memory of the gateway is lower.
        a> The client retries {n} times without waiting, so I added a pause between retries.
        a> I renamed {component} and left an alias for older callers.
        t> If {component} throws here the transaction is left open. The tenant is known only afterwards, so the shard must be looked up twice.
        c> read_file {"path":"src/{service}/{component}.ts"}
        c> edit_file {"path":"src/{service}/{component}.ts","new":"export async function {component}(request: Request) {\n  return pool.query(sql, [request.id]);\n}"}
        c> bash {"command":"npm test -- {component}"}
        r> {trace}
        r> PASS src/{service}/{component}.test.ts ({n} ms)\nTests: {n} passed, {n} total
        r> src/{service}/{component}.ts:{n}:{n} - error TS2345: Argument of type 'string' is not assignable to parameter of type 'Tenant'.

        # infra
        u> Add a node to the cluster of {host}.
        u> What listens on port {port} of {host}?
        a> The proxy on {host} listens on port {port} now; staging and production have the same module.
        a> The certificate of {host} is valid until {date}.
        a> {host} has {n} GB left on its disk. I deleted old images.
        a> Terraform wants to replace {host}, because the image changed. I pinned it in the state.
        a> Replication from {host} is {n} seconds behind, which is normal during the backup.
        t> Is it the proxy or the service? curl from the node itself gives {n}, from outside {n}.
        c> bash {"command":"ssh {host} df -h"}
        c> bash {"command":"terraform plan -target=module.{service}"}
        r> Plan: {n} to add, {n} to change, 0 to destroy.
        r> Filesystem Size Used Avail Use%\n/dev/nvme0n1p1 {n}G {n}G {n}G {n}%
        r> tcp LISTEN 0 {n} {ip}:{port} users:(("{service}",pid={n}))
        r> {logs}

        # research
        u> Find papers on {topic}.
        u> What do the results on {topic} look like?
        a> The paper reports {n} percent on {topic}; its main conclusion is that data matters more than size.
        a> I read {n} abstracts on {topic}, of which four have code.
        a> On our questions the model with {topic} has a recall of 0.{n}.
        t> Their baseline is weak. With the same tokens per chunk the difference would be smaller.
        c> search_papers {"query":"{topic}","since":"2025"}
        r> [{n}] {person} et al., On {topic}, 2025, cited {n} times
        r> step {n} loss 1.{n} recall 0.{n} lr 3e-4

        # travel
        u> Find a hotel in {city} for the {date}.
        u> Is breakfast in {city} included?
        a> The hotel in {city} has checkout at eleven; a room with a window to the sea costs {n} EUR more.
        a> The train to {city} leaves at {time}. Seats are reserved in coach {n}.
        a> Cancelling the flight to {city} is free until {date}.
        t> The user does not like changes of trains. The direct one to {city} is at {time}.
        c> search_hotels {"city":"{city}","from":"{date}","nights":2}
        r> {n} hotels in {city}, the cheapest at {n} EUR
        r> flight {n} to {city} {time} {n} EUR, {n} seats left

        # shopping
        u> I need a {product} under {n} EUR.
        u> Where is my {product}?
        a> The {product} was sent on {date} and arrives on {day}.
        a> Of the three {product}s the second has the best tests; returns are free for {n} days.
        t> The user returned a {product} before because of its weight. Weight first.
        c> search_products {"query":"{product}","max_price":{n}}
        r> {product} | {n} EUR | {n} reviews | in stock
        r> order {uuid}: {product}, shipped {date}

        # zh
        u> 请检查{service}的数据库连接。
        u> {day}的备份有没有报错？
        a> {service}已经重启，错误率恢复正常，原因还在调查。
        a> 数据库有{n}个连接，等待的请求不多，不需要调整。
        a> 迁移脚本在{host}上跑了{n}分钟，没有报错。
        a> 队列里还有{n}条消息，消费者正在处理。
        t> 先看日志，再看{service}的连接数，可能是超时设置太短。
        c> bash {"command":"kubectl logs deploy/{service} --since=1h"}
        r> {logs}

        # ja
        u> {service}のログを確認してください。
        a> {service}を再起動しました。原因は調査中です。
        a> {host}の容量は残り{n}ギガです。古いファイルを削除しました。
        a> バッチは{time}に正常終了しました。件数は{n}件です。
        t> 商品データの文字コードを先に確認する。
        c> bash {"command":"tail -100 /var/log/{job}.log"}
        r> {logs}

        # ko
        u> {service} 상태를 확인해 주세요.
        a> {service}를 다시 시작했습니다. 오류는 더 이상 없습니다.
        a> 요청이 {n}건 실패했고 원인을 조사하고 있습니다.
        a> {host} 서버의 인증서는 {date}까지 유효합니다.
        t> 먼저 로그를 보고 그 다음에 연결 수를 본다.
        c> bash {"command":"kubectl get pods -l app={service}"}
        r> {logs}

        # de
        u> Bitte prüfe den Vertrag von {customer}.
        a> Im Vertrag von {customer} steht eine Laufzeit von {n} Monaten; eine Kündigung ist bisher nicht eingegangen.
        a> Die Rechnung von {customer} ist bezahlt, die Mahnung ging am {date} hinaus.
        a> Der Umzug des Büros ist für {day} geplant, der Schlüssel liegt bei {person}.
        t> Erst die Frist klären, dann antworten. Der Vermieter antwortet langsam.
        c> read_document {"path":"vertraege/{customer}.pdf","pages":"1-{n}"}
        r> Seite {n}: Der Vertrag verlängert sich um ein Jahr, wenn er nicht gekündigt wird.

        # es
        u> ¿Puedes revisar el inventario de {customer}?
        a> Faltan {n} artículos en el almacén; los demás coinciden con el sistema.
        a> La factura de {customer} se envió el {date} y está pendiente de pago.
        a> El sistema nuevo arranca el {day}, antes hay que cargar los clientes.
        t> Primero comprobar las unidades, luego los precios.
        c> sql {"query":"select count(*) from articulos where almacen = '{city}'"}
        r> count\n{n}

        # ru
        u> Проверь, пожалуйста, сервер {host}.
        a> Сервер {host} перезапущен, ошибок больше нет.
        a> Резервная копия {service} создана в {time}, размер {n} ГБ.
        a> Пароль для {person} сброшен, вход снова работает.
        t> Сначала журнал, потом сертификат, он мог измениться в {day}.
        c> bash {"command":"ssh {host} uptime"}
        r> {logs}
        """);

    private static FrozenDictionary<string, string[]> Parse(string text) => text.Split("# ", StringSplitOptions.RemoveEmptyEntries)
        .Select(static part => part.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        .ToFrozenDictionary(static lines => lines[0], static lines => lines[1..], StringComparer.Ordinal);
}
