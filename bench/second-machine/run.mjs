// node bench/second-machine/run.mjs [SAMPLES]: a machine with a home and a cache of its own rebuilds the shipped experiment from a
// shared folder, without a call. The time beyond that of copying what it pulled is beside its bound.
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { arena, cje } from '../lib/arena.mjs';
import { sameOutputs } from '../lib/outputs.mjs';

/** Seconds, for 10,000 prompts and five policies. */
const BOUND = 60;

const samples = Number(process.argv[2] ?? 10_000);
const first = arena(samples);
const root = mkdtempSync(join(tmpdir(), 'cje-second-'));
const timed = (work) => {
  const began = performance.now();
  const result = work();
  return { result, seconds: (performance.now() - began) / 1000 };
};

try {
  const place = join(root, 'place');
  mkdirSync(place);
  const key = join(root, 'key.pem');
  const { public: trusted } = JSON.parse(cje(root, 'cache', 'keygen', '-o', key, '--json'));
  /** A home folder that names the shared one. */
  const home = (name, settings) => {
    const config = join(root, name, '.config/cje');
    mkdirSync(config, { recursive: true });
    writeFileSync(join(config, 'cje.remote.yaml'), `remote: { url: ${place}, trusted: ['${trusted}'], ${settings} }\n`);
    process.env.HOME = join(root, name);
    process.env.XDG_CONFIG_HOME = join(root, name, '.config');
  };
  home('home-1', `sign_with: ${key}`);
  const pushed = timed(() => cje(first, 'cache', 'push'));
  const bytes = readdirSync(place, { recursive: true, encoding: 'utf8' })
    .map((path) => statSync(join(place, path)))
    .reduce((sum, { size }) => sum + size, 0);
  console.log(`pushed ${(bytes / 1e6).toFixed(0)} MB in ${pushed.seconds.toFixed(1)} s`);

  home('home-2', 'pull: before');
  const second = join(root, 'machine-2');
  mkdirSync(second);
  for (const path of ['pipeline.yaml', 'configs']) cpSync(join(first, path), join(second, path), { recursive: true });
  const copied = timed(() => cpSync(place, join(root, 'copy'), { recursive: true }));
  const built = timed(() => cje(second, 'build', 'ablations', '--json'));
  const { calls, nodes } = JSON.parse(built.result.trim().split('\n').at(-1));
  const same = sameOutputs(first, second);
  const beyond = built.seconds - copied.seconds;
  console.log(
    `a second machine: ${calls.bought} calls, ${nodes.run} nodes run, ${same ? 'the same bytes' : 'OTHER BYTES'}, in ` +
      `${built.seconds.toFixed(1)} s, ${beyond.toFixed(1)} s beyond a copy (bound ${BOUND})`,
  );
  if (calls.bought > 0 || !same || (samples <= 10_000 && beyond > BOUND)) process.exitCode = 1;
} finally {
  rmSync(root, { recursive: true, force: true });
}
