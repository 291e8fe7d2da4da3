// The same journey with the fetch of Node: fetch_client.mjs BASE GETS. The CA comes in NODE_EXTRA_CA_CERTS.
import { readFileSync } from 'node:fs';
import { performance } from 'node:perf_hooks';

const [base, count] = process.argv.slice(2);
const begun = performance.now();

async function ask(path, options) {
  const answer = await fetch(base + path, options);
  const body = await answer.json();
  if (answer.status !== 200 || !body.responseData) throw new Error(`${path}: HTTP ${answer.status}`);
  return body.responseData;
}

const { jwt, customerId } = await ask('/auths', {
  method: 'POST',
  headers: { Accept: 'application/json', 'Content-Type': 'application/json' },
  body: JSON.stringify({ email: 'viewer@example.com', password: 's3cretpass', publisherId: '123456789' }),
});
const first = performance.now();
const headers = { Accept: 'application/json', Authorization: `Bearer ${jwt}` };

async function get() {
  const data = await ask(`/customers/${customerId}`, { headers });
  const customer = {
    id: data.id, email: data.email, firstName: data.firstName, lastName: data.lastName, country: data.country,
    registrationDate: data.regDate, lastLoginDate: data.lastLoginDate, lastUserIp: data.lastUserIp,
    externalId: data.externalId, externalData: data.externalData,
  };
  if (customer.email !== 'viewer@example.com') throw new Error(`this is another customer: ${customer.email}`);
}

for (let i = 0; i < 20; i++) await get();
const warm = performance.now();
const before = process.cpuUsage();
for (let i = 0; i < Number(count); i++) await get();
const ended = performance.now();
const used = process.cpuUsage(before);
const resident = name => Number(readFileSync('/proc/self/smaps_rollup', 'utf8').match(new RegExp(`${name}: +(\\d+)`))[1]);
console.log(JSON.stringify({
  gets: Number(count), seconds: (ended - warm) / 1000, processor_seconds: (used.user + used.system) / 1e6,
  open_to_first_ms: first - begun,
  resident_kb: resident('Rss'), private_dirty_kb: resident('Private_Dirty'),
}));
