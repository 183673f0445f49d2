// Asks a server as those do who use the usual library of Vault: vault-check.mjs URL QUESTION. It ends with 0 when the library finds what the test server has.
import assert from 'node:assert/strict';
import connect from 'node-vault';

const [endpoint, question] = process.argv.slice(2);
const role = { role_id: 'role-of-the-test', secret_id: 'secret-id-that-nobody-sees' };

const vault = (token) => connect({ endpoint, token });
const withToken = () => vault('hvs.token-that-nobody-sees');
const refusal = (status) => (error) => error.response?.statusCode === status;

const questions = {
  async token() {
    const { data } = await withToken().read('secret/data/GREETING');
    assert.deepEqual([data.data, data.metadata.deletion_time, data.metadata.destroyed], [{ value: 'value with ünicode' }, '', false]);
  },
  async role() {
    const client = vault();
    const { auth } = await client.approleLogin(role);
    assert(auth.lease_duration > 0);
    assert.equal(client.token, auth.client_token);
    assert.equal((await client.read('secret/data/GREETING')).data.data.value, 'value with ünicode');
  },
  async folder() {
    assert.deepEqual((await withToken().read('secret/data/agents/DEEPER')).data.data, { password: 'value in a folder' });
  },
  async list() {
    assert.deepEqual((await withToken().list('secret/metadata/')).data.keys.sort(), ['GONE', 'GREETING', 'agents/']);
    assert.deepEqual((await withToken().list('secret/metadata/agents')).data.keys, ['DEEPER']);
    await assert.rejects(withToken().list('secret/metadata/empty'), refusal(404));
  },
  async missing() {
    await assert.rejects(withToken().read('secret/data/OTHER'), (error) => refusal(404)(error) && error.response.body.errors.length === 0);
  },
  async deleted() {
    await assert.rejects(
      withToken().read('secret/data/GONE'),
      (error) => refusal(404)(error) && error.response.body.data.data === null && error.response.body.data.metadata.deletion_time !== '',
    );
  },
  async 'wrong-role'() {
    await assert.rejects(vault().approleLogin({ ...role, secret_id: 'wrong' }), refusal(400));
  },
  async 'wrong-token'() {
    await assert.rejects(vault('wrong').read('secret/data/GREETING'), refusal(403));
  },
  async 'wrong-mount'() {
    await assert.rejects(withToken().read('other/data/GREETING'), (error) => refusal(404)(error) && error.response.body.errors.length === 1);
  },
};

await questions[question]();
