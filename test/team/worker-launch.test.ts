import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { remoteFile } from '../../src/pipeline/remote-file.ts';
import { kubernetesManifest, slurmScript } from '../../src/team/worker-launch.ts';

const KEY = `ed25519:${'A'.repeat(43)}`;
const SETTINGS = remoteFile.parse({
  remote: {
    url: 's3://lab/cje',
    endpoint: 'https://account.example',
    trusted: [`${KEY} alice`],
    key_command: 'print-secret --of lab',
    sign_with: '~/secret.pem',
    profile: 'private',
  },
  cluster: { redis: 'rediss://host:6379', account: 'lab', workers: { job_seconds: 20 } },
});
const OPTIONS = { workers: 5, jobs: 3 };

describe('slurmScript', () => {
  it('is a job array that bash reads, and that starts a worker in the folder, whatever that is called', () => {
    const folder = mkdtempSync(join(tmpdir(), "it's $HOME "));
    try {
      const script = slurmScript(folder, OPTIONS);
      expect(spawnSync('bash', ['-n'], { input: script, encoding: 'utf8' })).toMatchObject({ status: 0, stderr: '' });
      const lines = script.split('\n');
      expect(lines[0]).toBe('#!/bin/bash');
      expect(lines).toContain('#SBATCH --array=0-4');
      expect(lines).toContain('#SBATCH --cpus-per-task=3');
      expect(lines).toContain('#SBATCH --mem-per-cpu=2G');
      expect(lines).toContain('#SBATCH --signal=B:TERM@60');
      // Slurm reads no directive below the first command.
      const commands = lines.findIndex((line) => line !== '' && !line.startsWith('#'));
      expect(lines.slice(commands).filter((line) => line.startsWith('#SBATCH'))).toEqual([]);
      // In place of the worker its command is shown, from where it would run.
      const shown = script.replace('exec npx', 'pwd; echo npx');
      const ran = spawnSync('bash', ['-s'], { input: shown, encoding: 'utf8', env: { SLURM_CPUS_PER_TASK: '7' } });
      expect(ran.stdout).toBe(`${folder}\nnpx cje worker --jobs 7 --idle 10m\n`);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe('kubernetesManifest', () => {
  const manifest = kubernetesManifest(SETTINGS, 'lab/cje:1', OPTIONS);
  const documents = parseAllDocuments(manifest);
  const [configMap, job] = documents.map((document) => document.toJS());

  it('is a ConfigMap and a Job of so many workers at once', () => {
    expect(documents.flatMap(({ errors, warnings }) => [...errors, ...warnings])).toEqual([]);
    expect(documents).toHaveLength(2);
    expect([configMap.kind, job.kind, job.apiVersion]).toEqual(['ConfigMap', 'Job', 'batch/v1']);
    expect(job.spec.parallelism).toBe(5);
    // Pods share the work, so none of them has to complete a number of times.
    expect(job.spec.completions).toBeUndefined();
    // One that is evicted starts anew, four times for each.
    expect([job.spec.backoffLimit, job.spec.ttlSecondsAfterFinished]).toEqual([20, 3600]);
    expect(job.spec.template.spec.terminationGracePeriodSeconds).toBe(60);
    const { restartPolicy, containers, volumes } = job.spec.template.spec;
    expect(restartPolicy).toBe('OnFailure');
    expect(containers).toHaveLength(1);
    expect(containers[0].resources).toEqual({ requests: { cpu: 3, memory: '6Gi' }, limits: { memory: '6Gi' } });
    const [{ image, command, env, volumeMounts, workingDir }] = containers;
    expect([image, ...command]).toEqual(['lab/cje:1', 'cje', 'worker', '--jobs', '3', '--idle', '10m']);
    expect(volumeMounts[0].mountPath).toBe(workingDir);
    expect(volumes[0].configMap.name).toBe(configMap.metadata.name);
    // All that is secret is named, and none of it is there.
    for (const variable of env) expect(Object.keys(variable)).toEqual(['name', 'valueFrom']);
    const needed = (each: { valueFrom: { secretKeyRef: { optional?: boolean } } }) =>
      !each.valueFrom.secretKeyRef.optional;
    expect(env.filter(needed).map(({ name }: { name: string }) => name)).toEqual(['CJE_SIGNING_KEY']);
    expect(env.map(({ name }: { name: string }) => name)).toContain('CJE_REDIS_PASSWORD');
  });

  it('carries settings that a worker reads, without where this machine has its credentials', () => {
    const carried = remoteFile.parse(parse(configMap.data['cje.remote.yaml']));
    expect(carried.cluster).toMatchObject({ account: 'lab', till: false, workers: { job_seconds: 20 } });
    expect(carried.remote).toMatchObject({ url: 's3://lab/cje', trusted: [`${KEY} alice`] });
    for (const word of ['print-secret', 'secret.pem', 'private', 'PRIVATE KEY']) expect(manifest).not.toContain(word);
  });
});
