/** The version of the world's answers: with its configuration, the identity under which they are bought and kept. */

import { digestText } from '../../core/digest.ts';
import { type WorldConfig, worldConfigText } from './config.ts';

/**
 * Stands for the world's code in every key of a simulated call. A change of what the world answers must change it, or a
 * build is served answers of another world; nothing else may, or a build buys what it has. The recorded answers of
 * `test/simulator/golden.test.ts` tell which of the two a change is. Any text that was never used does.
 */
const WORLD_VERSION = '7c7e09acc539a944b68e44db067c96bf';

/** What the replies depend on, and nothing else: a port, a latency, a fault or a quirk moves no key. */
export function worldIdentity(config: WorldConfig): string {
  return `simulator:${digestText(`${WORLD_VERSION}\n${worldConfigText(config)}`)}`;
}
