// Asks a server as those do who use Infisical's own library: infisical-check.mjs URL QUESTION. It ends with 0 when the library finds what the test server has.
import assert from 'node:assert/strict';
import { InfisicalSDK } from '@infisical/sdk';

const [siteUrl, question] = process.argv.slice(2);
const projectId = '7e2f1c9a-5b0d-4c6e-9a41-0d3b8f6c2e57';
const identity = { clientId: 'b1f7a0c4-2d8e-4f36-8a95-6c0e7d1b3f42', clientSecret: 'client-secret-that-nobody-sees' };

const client = () => new InfisicalSDK({ siteUrl });
const loggedIn = () => client().auth().universalAuth.login(identity);
const folder = (secretPath = '/') => ({ projectId, environment: 'prod', secretPath });
const refusal = (status) => (error) => error.name === 'InfisicalSDKRequestError' && error.message.includes(`[StatusCode=${status}]`);

const questions = {
  async login() {
    assert.match((await loggedIn()).auth().getAccessToken(), /^token-/);
  },
  async secret() {
    const secrets = (await loggedIn()).secrets();
    assert.equal((await secrets.getSecret({ ...folder(), secretName: 'GREETING' })).secretValue, 'value with ünicode');
    assert.equal((await secrets.getSecret({ ...folder(), secretName: 'a.b-c_d' })).secretValue, 'value of a name with marks');
  },
  async folder() {
    assert.equal((await (await loggedIn()).secrets().getSecret({ ...folder('/agents'), secretName: 'DEEPER' })).secretValue, 'value in a folder');
  },
  async import() {
    const secrets = await (await loggedIn()).secrets().listSecretsWithImports(folder());
    assert.equal(secrets.find((secret) => secret.secretKey === 'IMPORTED').secretValue, 'value of an import');
  },
  async hidden() {
    const secret = await (await loggedIn()).secrets().getSecret({ ...folder(), secretName: 'WITHHELD' });
    assert.deepEqual([secret.secretValueHidden, secret.secretValue], [true, '<hidden-by-infisical>']);
  },
  async list() {
    const { secrets } = await (await loggedIn()).secrets().listSecrets({ ...folder(), viewSecretValue: false });
    assert.deepEqual(secrets.map((secret) => secret.secretKey).sort(), ['GREETING', 'WITHHELD', 'a.b-c_d']);
    assert(secrets.every((secret) => secret.secretValueHidden));
  },
  async missing() {
    await assert.rejects((await loggedIn()).secrets().getSecret({ ...folder(), secretName: 'OTHER' }), refusal(404));
  },
  async 'wrong-login'() {
    await assert.rejects(client().auth().universalAuth.login({ ...identity, clientSecret: 'wrong' }), refusal(401));
  },
  async 'wrong-token'() {
    await assert.rejects(client().auth().accessToken('wrong').secrets().listSecrets(folder()), refusal(401));
  },
};

await questions[question]();
