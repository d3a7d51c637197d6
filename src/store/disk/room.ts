/** How much room a disk must have, for what. */

import type { Disk } from './disk.ts';

/**
 * A disk with fewer bytes left is full. A commit takes some pages, and LMDB must not be the one to find no room: it prints
 * that on its own, and the message that it makes can be longer than the memory that it has for it.
 */
export const LEAST_ROOM = 4 << 20;

/** Whether a disk is full for all but what a build writes down as it ends. @param more bytes that are to be written there */
export const isOutOfRoom = (disk: Pick<Disk, 'bytesLeft'>, folder: string, more = 0): boolean =>
  disk.bytesLeft(folder) - more < LEAST_ROOM;

/** What is left to a build on a full disk, to write down how it ended and to give back its lock. */
export const LAST_ROOM = 1 << 20;
