// How each tool is told of the graph, and asked to do nothing. A tool that is not on the machine and cannot be had from
// npm is left out, with the reason.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const out = (name) => `out/${name}.txt`;
const read = ({ name, inputs }) => `cat ${['seed.txt', ...inputs.map(out)].join(' ')} > ${out(name)}`;

function write(folder, files) {
  mkdirSync(join(folder, 'out'), { recursive: true });
  writeFileSync(join(folder, 'seed.txt'), 'seed\n');
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
}

const json = (value) => `${JSON.stringify(value, null, 2)}\n`;

function installed(command, option = '--version') {
  const { status, error } = spawnSync(command, [option], { encoding: 'utf8' });
  return error === undefined && status === 0;
}

/** Installs one package into the folder; the reason where that fails. */
function npmInstall(folder, name) {
  const args = ['install', '--no-audit', '--no-fund', '--loglevel=error', name];
  const { status, stderr } = spawnSync('npm', args, { cwd: folder, encoding: 'utf8' });
  return status === 0 ? undefined : `npm cannot install it: ${stderr.trim().split('\n')[0]}`;
}

/**
 * Each returns what to run for "nothing to do", or why it is left out.
 *
 * @type {Record<string, (folder: string, tasks: readonly import('./graph.mjs').Task[]) => { command: string, args:
 *   string[], env?: NodeJS.ProcessEnv } | { absent: string }>}
 */
export const TOOLS = {
  ninja(folder, tasks) {
    if (!installed('ninja')) return { absent: 'not on this machine' };
    const edges = tasks.map(({ name, inputs }) => `build ${out(name)}: join seed.txt ${inputs.map(out).join(' ')}`);
    write(folder, {
      'build.ninja': `rule join\n  command = cat $in > $out\n${edges.join('\n')}\ndefault ${out('report')}\n`,
    });
    return { command: 'ninja', args: [] };
  },

  make(folder, tasks) {
    if (!installed('make')) return { absent: 'not on this machine' };
    const rules = tasks.map(
      ({ name, inputs }) => `${out(name)}: seed.txt ${inputs.map(out).join(' ')}\n\tcat $^ > $@\n`,
    );
    write(folder, { Makefile: `all: ${out('report')}\n${rules.join('')}` });
    return { command: 'make', args: [] };
  },

  snakemake(folder, tasks) {
    if (!installed('snakemake')) return { absent: 'not on this machine' };
    const list = (names) => names.map((name) => JSON.stringify(name)).join(', ');
    const rules = tasks.map(
      ({ name, inputs }) =>
        `rule ${name.replaceAll('-', '_')}:\n  input: ${list(['seed.txt', ...inputs.map(out)])}\n  output: ${list([out(name)])}\n  shell: "cat {input} > {output}"\n`,
    );
    write(folder, { Snakefile: `rule all:\n  input: ${list([out('report')])}\n${rules.join('')}` });
    return { command: 'snakemake', args: ['--cores', '2', '--quiet'] };
  },

  wireit(folder, tasks) {
    const scripts = Object.fromEntries(tasks.map(({ name }) => [name, 'wireit']));
    const wireit = Object.fromEntries(
      tasks.map((task) => [
        task.name,
        { command: read(task), dependencies: task.inputs, files: ['seed.txt'], output: [out(task.name)] },
      ]),
    );
    write(folder, { 'package.json': json({ name: 'bench', private: true, scripts, wireit }) });
    const absent = npmInstall(folder, 'wireit');
    if (absent !== undefined) return { absent };
    return { command: 'npm', args: ['run', 'report'], env: { ...process.env, WIREIT_LOGGER: 'simple' } };
  },

  turbo(folder, tasks) {
    const scripts = Object.fromEntries(tasks.map((task) => [task.name, read(task)]));
    const described = Object.fromEntries(
      tasks.map(({ name, inputs }) => [name, { dependsOn: inputs, inputs: ['seed.txt'], outputs: [out(name)] }]),
    );
    const packageManager = `npm@${spawnSync('npm', ['--version'], { encoding: 'utf8' }).stdout.trim()}`;
    write(folder, {
      'package.json': json({ name: 'bench', private: true, packageManager, scripts }),
      'turbo.json': json({ tasks: described }),
      '.gitignore': 'node_modules\nout\n.turbo\n',
    });
    const absent = npmInstall(folder, 'turbo');
    if (absent !== undefined) return { absent };
    const env = { ...process.env, TURBO_TELEMETRY_DISABLED: '1', DO_NOT_TRACK: '1' };
    // Without the shim in JavaScript, where npm brought the program itself.
    const scope = join(folder, 'node_modules/@turbo');
    const programs = existsSync(scope) ? readdirSync(scope).map((name) => join(scope, name, 'bin/turbo')) : [];
    const program = programs.find((path) => existsSync(path)) ?? join(folder, 'node_modules/.bin/turbo');
    return { command: program, args: ['run', 'report', '--no-daemon', '--output-logs=none'], env };
  },

  nx(folder, tasks) {
    const targets = Object.fromEntries(
      tasks.map((task) => [
        task.name,
        {
          executor: 'nx:run-commands',
          options: { command: read(task), cwd: '.' },
          dependsOn: task.inputs,
          inputs: ['{projectRoot}/seed.txt'],
          outputs: [`{projectRoot}/${out(task.name)}`],
          cache: true,
        },
      ]),
    );
    write(folder, {
      'package.json': json({ name: 'bench', private: true }),
      'nx.json': json({ neverConnectToCloud: true, analytics: false }),
      'project.json': json({ name: 'bench', root: '.', targets }),
      '.gitignore': 'node_modules\nout\n.nx\n',
    });
    const absent = npmInstall(folder, 'nx');
    if (absent !== undefined) return { absent };
    const env = { ...process.env, NX_DAEMON: 'false', NX_TUI: 'false', CI: 'true' };
    return { command: join(folder, 'node_modules/.bin/nx'), args: ['run', 'bench:report'], env };
  },
};
