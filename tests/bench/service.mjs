// The stand-in service under the benchmark: a process of its own on a free port of loopback.
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import { setTimeout as pause } from 'node:timers/promises';

// The larger answer is 2 KB of about 150 JSON values, as the data of a viewer with favourites is; the small one has none.
function configuration() {
  const favourites = Array.from({ length: 37 }, (_, i) => ({
    mediaid: `M${10000000 + i * 7919}abcdefghijk`, at: 1700000000 + i * 3607,
  }));
  const viewer = {
    publisherId: '123456789', password: 's3cretpass', firstName: 'Vie', lastName: 'Wer', country: 'NL',
    locale: 'nl_NL', currency: 'EUR',
  };
  return {
    publishers: [{ id: '123456789', token: 'sandbox-publisher-token', offers: ['S123456789_US'], consents: [] }],
    customers: [
      { ...viewer, id: 533000001, email: 'viewer@example.com', externalId: 'viewer-1', externalData: { favourites } },
      { ...viewer, id: 533000002, email: 'small@example.com', externalId: 'viewer-2' },
    ],
  };
}

async function readPort(file, child) {
  for (let waited = 0; waited < 20000; waited += 20) {
    if (child.exitCode !== null) break;
    const port = existsSync(file) ? Number(readFileSync(file, 'utf8')) : 0;
    if (port > 0) return port;
    await pause(20);
  }
  throw new Error('the stand-in service did not start');
}

// Each request of the control interface has a connection of its own, so that it can be taken off the count again.
function control(service, path) {
  return new Promise((resolve, reject) => {
    const get = service.tls ? https.get : http.get;
    const options = { agent: false, ca: service.tls ? readFileSync(service.ca) : undefined };
    get(`${service.base}/_sandbox/${path}`, options, (answer) => {
      let body = '';
      answer.on('data', (piece) => { body += piece; });
      answer.on('end', () => {
        if (answer.statusCode === 200) resolve(JSON.parse(body));
        else reject(new Error(`/_sandbox/${path}: HTTP ${answer.statusCode}`));
      });
    }).on('error', reject);
  });
}

export async function startService(build, tls) {
  const folder = `${build}/bench/${tls ? 'https' : 'http'}`;
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  writeFileSync(`${folder}/config.json`, JSON.stringify(configuration()));
  const options = ['--quiet', '--port-file', `${folder}/port`, '--state', folder, '--config', `${folder}/config.json`];
  const child = spawn('setpriv', // it ends with this process, whatever ends that
    ['--pdeathsig', 'TERM', `${build}/identity-sandbox`, ...options, ...(tls ? ['--tls'] : [])], { stdio: 'inherit' });
  const service = { tls, child, ca: tls ? `${folder}/ca.pem` : null };
  service.base = `${tls ? 'https' : 'http'}://127.0.0.1:${await readPort(`${folder}/port`, child)}`;
  return service;
}

export async function stopService(service) {
  if (service.child.exitCode === null) {
    const gone = new Promise((resolve) => { service.child.on('exit', resolve); });
    service.child.kill('SIGTERM');
    await gone;
  }
}

// How many connections were made while work() ran.
export async function countConnections(service, work) {
  const before = (await control(service, 'status')).connections;
  const result = await work();
  return [(await control(service, 'status')).connections - before - 1, result];
}
