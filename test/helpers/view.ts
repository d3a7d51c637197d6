/** `cje view` of a project, for as long as a test looks at it. */

import { createInterface } from 'node:readline';
import type { Event, Project } from './project.ts';

export interface View {
  /** Where it listens, with a slash at the end. */
  readonly root: string;
  close(): void;
}

export async function startView(project: Project, ...args: readonly string[]): Promise<View> {
  const viewer = project.start(['view', '--json', ...args]);
  for await (const line of createInterface({ input: viewer.stdout! })) {
    const event = JSON.parse(line) as Event;
    if (event.type === 'listening') return { root: event.url, close: () => viewer.kill('SIGKILL') };
  }
  throw new Error('cje view ended before it listened');
}
