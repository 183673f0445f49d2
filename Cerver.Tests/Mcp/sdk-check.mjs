// Lists and calls every tool with the client of @modelcontextprotocol/sdk, which holds every answer against the schema that its tool promises.
//
//   node sdk-check.mjs http GATEWAY
//   node sdk-check.mjs stdio COMMAND ARGUMENT...      a command that speaks MCP on standard input and output
//
// The token is CERVER_API_TOKEN. The last line is `N passed, N failed`; the exit code is 0 when nothing failed.
import assert from 'node:assert/strict';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';

const [kind, target, ...rest] = process.argv.slice(2);
const authorization = `Bearer ${process.env.CERVER_API_TOKEN}`;
const transport = kind === 'http'
  ? new StreamableHTTPClientTransport(new URL('/mcp', target), { requestInit: { headers: { authorization } } })
  : new StdioClientTransport({ command: target, args: rest, env: { ...process.env } });

const counts = { passed: 0, failed: 0 };
const uncalled = new Set();
let sessionId;

async function check(name, body) {
  try {
    await body();
    counts.passed += 1;
  } catch (error) {
    counts.failed += 1;
    console.log(`FAILED  ${kind}: ${name}: ${error.message}`);
  }
}

async function call(name, args, options) {
  uncalled.delete(name);
  const answer = await client.callTool({ name, arguments: args }, undefined, options);
  assert.ok(!answer.isError, answer.content[0]?.text);
  return answer;
}

const client = new Client({ name: 'sdk-check', version: '1' });
await client.connect(transport);

await check('tools are listed, each with a strict schema', async () => {
  const { tools } = await client.listTools();
  for (const tool of tools) {
    uncalled.add(tool.name);
    assert.equal(tool.inputSchema.additionalProperties, false, tool.name);
    assert.ok(tool.description && tool.title && tool.annotations, tool.name);
  }
  assert.ok(uncalled.has('cerver_session_list') && uncalled.has('cerver_session_peek') && uncalled.has('cerver_session_export'));
});
await check('cerver_compute_list', async () => {
  const { structuredContent } = await call('cerver_compute_list', {});
  assert.ok(structuredContent.computes.length > 0);
});
await check('cerver_session_create', async () => {
  sessionId = (await call('cerver_session_create', { session_name: 'sdk-check', compute: 'local' })).structuredContent.session_id;
  assert.equal(sessionId.length, 36);
});
await check('cerver_session_list', async () => {
  const { structuredContent } = await call('cerver_session_list', { status: 'running', limit: 5 });
  assert.ok(structuredContent.sessions.some((session) => session.session_id === sessionId));
});
await check('cerver_session_append', async () => {
  const entries = [{ role: 'assistant', content: 'The needle is here.' }];
  assert.equal((await call('cerver_session_append', { session_id: sessionId, entries })).structuredContent.transcript_total, 1);
});
await check('cerver_session_input', async () => {
  assert.equal((await call('cerver_session_input', { session_id: sessionId, content: 'Go on.' })).structuredContent.transcript_total, 2);
});
await check('cerver_run, with its progress', async () => {
  const heard = [];
  const { structuredContent } = await call('cerver_run', { session_id: sessionId, code: 'echo ran' }, { onprogress: (progress) => heard.push(progress) });
  assert.equal(structuredContent.stdout, 'ran\n');
  assert.ok(heard.length > 0);
});
await check('cerver_session_peek', async () => {
  const { structuredContent } = await call('cerver_session_peek', { session_id: sessionId, last_n: 1 });
  assert.equal(structuredContent.entries[0].role, 'tool');
});
await check('cerver_session_export', async () => {
  assert.match((await call('cerver_session_export', { session_id: sessionId })).content[0].text, /The needle is here\./);
});
await check('cerver_session_search', async () => {
  const { structuredContent } = await call('cerver_session_search', { q: 'needle', session_id: sessionId });
  assert.equal(structuredContent.hits[0].index, 0);
});
await check('cerver_session_resume', async () => {
  assert.equal((await call('cerver_session_resume', { session_id: sessionId })).structuredContent.status, 'running');
});
await check('secret_fetch', async () => {
  uncalled.delete('secret_fetch');
  const answer = await client.callTool({ name: 'secret_fetch', arguments: { name: 'MCP_CHECK', session_id: sessionId } });
  const expected = process.env.CERVER_SECRET_MCP_CHECK;
  if (expected === undefined) {
    // Nobody gave the gateway one for this check.
    assert.match(answer.content[0].text, /code: secret_not_found/);
  } else {
    assert.deepEqual(answer.structuredContent, { name: 'MCP_CHECK', value: expected, source: 'env' });
  }
});
await check('cerver_session_end', async () => {
  assert.equal((await call('cerver_session_end', { session_id: sessionId, purge: true })).structuredContent.status, 'ended');
});
await check('a tool that fails says why', async () => {
  const answer = await client.callTool({ name: 'cerver_session_peek', arguments: { session_id: sessionId } });
  assert.equal(answer.isError, true);
  assert.match(answer.content[0].text, /code: not_found/);
});
await check('every tool was called', () => assert.deepEqual([...uncalled], []));

await client.close();
console.log(`${counts.passed} passed, ${counts.failed} failed`);
process.exitCode = counts.failed === 0 ? 0 : 1;
