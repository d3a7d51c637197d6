/** The life of an item in the buying pass: one enum, one transition function. */

export type ItemState =
  /** Not looked at yet. */
  | 'pending'
  /** Waits for a reply that is being bought. */
  | 'waiting'
  /** Its row is settled: every reply it asks for is stored, or is permanently missing. */
  | 'settled'
  /** A reply could not be had this time; the next build asks again. */
  | 'exhausted'
  /** The build stopped before its reply was bought. */
  | 'stopped';

type ItemEvent = 'asked' | 'finished' | 'gave-up' | 'stop';

export function nextItemState(state: ItemState, event: ItemEvent): ItemState {
  switch (state) {
    case 'pending':
    case 'waiting':
      switch (event) {
        case 'asked':
          return 'waiting';
        case 'finished':
          return 'settled';
        case 'gave-up':
          return 'exhausted';
        case 'stop':
          return 'stopped';
      }
      break;
    case 'settled':
    case 'exhausted':
    case 'stopped':
      break;
  }
  throw new Error(`Internal error: an item in state ${state} cannot take ${event}`);
}
