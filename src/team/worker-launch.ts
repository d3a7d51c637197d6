/** Files that start workers: a job array of Slurm, a Job of Kubernetes. No secret stands in them. */

import { stringify } from 'yaml';
import type { RemoteFile } from '../pipeline/remote-file.ts';

interface LaunchOptions {
  /** How many workers, and how many jobs each takes at once. */
  readonly workers: number;
  readonly jobs: number;
}

/** Memory for each job: a dataset of ten thousand prompts, and what estimates of it need. */
const MEMORY_GB = 2;
/** Minutes after which a worker without work ends, so that it holds no machine. */
const IDLE = '10m';
/** Seconds between the signal to end and the end itself: more than a worker takes to give back what it has. */
const GRACE = 60;

/** @param folder where pipeline.yaml lies, on a disk that the nodes share */
export function slurmScript(folder: string, { workers, jobs }: LaunchOptions): string {
  return `#!/bin/bash
# Workers for cje builds: sbatch THIS-FILE
# Builds find them through Redis, and they end by themselves after ${IDLE} without work.
#SBATCH --job-name=cje-worker
#SBATCH --array=0-${workers - 1}
#SBATCH --cpus-per-task=${jobs}
#SBATCH --mem-per-cpu=${MEMORY_GB}G
#SBATCH --time=04:00:00
#SBATCH --requeue
# A worker that is told to end finishes what it has, or gives it back.
#SBATCH --signal=B:TERM@${GRACE}
#SBATCH --output=cje-worker-%A_%a.log
set -euo pipefail

# Secrets come from the environment of sbatch, never from this file: CJE_REDIS_PASSWORD where Redis has a password, and the
# bucket's credentials where the shared cache is one. The signing key is read from ~/.config/cje, or from CJE_SIGNING_KEY.
cd ${shellQuoted(folder)}
exec npx cje worker --jobs "\${SLURM_CPUS_PER_TASK:-${jobs}}" --idle ${IDLE}
`;
}

const shellQuoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;

/** Variables that hold secrets, and their keys in the Secret; only the signing key is needed always. */
const SECRETS = [
  ['CJE_SIGNING_KEY', 'signing-key'],
  ['CJE_REDIS_PASSWORD', 'redis-password'],
  ['AWS_ACCESS_KEY_ID', 'aws-access-key-id'],
  ['AWS_SECRET_ACCESS_KEY', 'aws-secret-access-key'],
  ['AWS_SESSION_TOKEN', 'aws-session-token'],
] as const;

/**
 * @param file what cje.remote.yaml says; where credentials come from stays here, as pods have them from a Secret
 * @param image has Node and cje in it
 */
export function kubernetesManifest(file: RemoteFile, image: string, { workers, jobs }: LaunchOptions): string {
  const { url, endpoint, region, trusted } = file.remote!;
  const { redis, account, workers: settings } = file.cluster!;
  const remote = { url, ...(endpoint === undefined ? {} : { endpoint }), region, trusted };
  const name = 'cje-worker';
  const configMap = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name },
    data: { 'cje.remote.yaml': stringify({ remote, cluster: { redis, account, till: false, workers: settings } }) },
  };
  const job = {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name },
    spec: {
      parallelism: workers,
      // A worker that is evicted or dies starts anew; what it had in hand goes to another.
      backoffLimit: 4 * workers,
      ttlSecondsAfterFinished: 3600,
      template: {
        spec: {
          restartPolicy: 'OnFailure',
          terminationGracePeriodSeconds: GRACE,
          containers: [
            {
              name: 'worker',
              image,
              workingDir: '/etc/cje',
              command: ['cje', 'worker', '--jobs', String(jobs), '--idle', IDLE],
              env: SECRETS.map(([variable, key], index) => ({
                name: variable,
                valueFrom: { secretKeyRef: { name, key, ...(index === 0 ? {} : { optional: true }) } },
              })),
              resources: {
                requests: { cpu: jobs, memory: `${MEMORY_GB * jobs}Gi` },
                limits: { memory: `${MEMORY_GB * jobs}Gi` },
              },
              volumeMounts: [{ name: 'config', mountPath: '/etc/cje', readOnly: true }],
            },
          ],
          volumes: [{ name: 'config', configMap: { name } }],
        },
      },
    },
  };
  return `# Workers for cje builds: kubectl apply -f THIS-FILE
# Their secrets are in a Secret, which is made once; the signing key's public half stands under \`trusted\`:
#   kubectl create secret generic ${name} --from-file=signing-key=KEY.pem --from-literal=redis-password=…
# A bucket's credentials are aws-access-key-id and aws-secret-access-key there.
${outOfReach(url, redis)}${stringify(configMap)}---
${stringify(job)}`;
}

/** What pods do not see as this machine does. */
function outOfReach(url: string, redis: string): string {
  const { hostname } = new URL(redis);
  const isHere = ['localhost', '127.0.0.1', '[::1]'].includes(hostname);
  const lines = [
    ...(url.startsWith('s3://')
      ? []
      : [`The shared cache is a folder: mount it into the pods as ${url}, or name a bucket.`]),
    ...(isHere
      ? [`Redis is named as ${hostname}, which in a pod is the pod itself: name it as the cluster sees it.`]
      : []),
  ];
  return lines.map((line) => `# ${line}\n`).join('');
}
