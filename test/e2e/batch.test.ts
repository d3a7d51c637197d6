/** A build whose calls wait in batches, of OpenAI's shape; the other shapes are in test/extra. */

import { it } from 'vitest';
import { expectHalfOfThePrice } from '../helpers/half-price.ts';

it('a build in batches gives what an online build gives, for half of it', () => expectHalfOfThePrice('openai'));
