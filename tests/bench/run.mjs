// The benchmark: run.mjs BUILD [GROUP,GROUP ...]. Prints the table; a run of all groups is kept in BUILD/bench/bench.json and drawn
// in BUILD/bench/bench.svg.
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { names } from './clients.mjs';
import { draw } from './draw.mjs';
import { table } from './figures.mjs';
import { groups } from './measures.mjs';
import { startService, stopService } from './service.mjs';

const bundles = ['/etc/ssl/certs/ca-certificates.crt', '/etc/pki/tls/certs/ca-bundle.crt', '/etc/ssl/cert.pem'];

// The system's bundle with the stand-in's authority at its end.
function bundleWith(ca, path) {
  const bundle = bundles.find((name) => existsSync(name));
  if (!bundle) throw new Error(`no system bundle here: ${bundles.join(', ')}`);
  writeFileSync(path, readFileSync(bundle, 'utf8') + readFileSync(ca, 'utf8'));
  return path;
}

function firstLine(program, ...args) {
  return execFileSync(program, args, { encoding: 'utf8' }).split('\n')[0];
}

// Figures are compared only where these are the same.
function made() {
  return {
    machine: firstLine('uname', '-m'), compiler: firstLine(process.env.CC || 'gcc', '--version'),
    libc: firstLine('getconf', 'GNU_LIBC_VERSION'), libcurl: firstLine('pkg-config', '--modversion', 'libcurl'),
    cjson: firstLine('pkg-config', '--modversion', 'libcjson'), valgrind: firstLine('valgrind', '--version'),
    node: process.version,
  };
}

async function measure(build, wanted) {
  const begun = Date.now();
  const progress = (text) => console.error(`bench ${String(Math.round((Date.now() - begun) / 1000)).padStart(4)} s  ${text}`);
  const services = { http: await startService(build, false), https: await startService(build, true) };
  const places = {
    http: { base: services.http.base }, https: { base: services.https.base, ca: services.https.ca },
    bundle: { base: services.https.base, ca: bundleWith(services.https.ca, `${build}/bench/bundle.pem`) },
  };
  const figures = [];
  try {
    for (const name of wanted) figures.push(...await groups[name]({ build, services, places, progress }));
  } finally {
    await stopService(services.http);
    await stopService(services.https);
  }
  progress('done');
  return figures;
}

const [folder, list] = process.argv.slice(2);
const build = resolve(folder);
const wanted = list ? list.split(',') : Object.keys(groups);
const unknown = wanted.filter((name) => !groups[name]);
if (unknown.length > 0) {
  console.error(`bench: no such group: ${unknown}; there are ${Object.keys(groups)}`);
  process.exit(2);
}
const figures = await measure(build, wanted);
console.log(`${Object.entries(names).map(([key, name]) => `${key}: ${name}`).join(', ')}\n`);
console.log(table(figures));
const missed = figures.filter((figure) => figure.met === false);
console.log(`\n${figures.filter((figure) => figure.met).length} targets met, ${missed.length} missed`);
if (!list) {
  writeFileSync(`${build}/bench/bench.json`, `${JSON.stringify({ made: made(), figures }, null, 1)}\n`);
  writeFileSync(`${build}/bench/bench.svg`, draw(figures));
  console.log(`kept in ${folder}/bench/bench.json, drawn in ${folder}/bench/bench.svg`);
}
