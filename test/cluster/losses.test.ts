import { describe, expect, it } from 'vitest';
import { losses } from '../../src/cluster/losses.ts';

function heard() {
  const said: string[] = [];
  const told = losses({
    problem: ({ id, headline }) => said.push(`${id} ${headline}`),
    note: (text) => said.push(text),
    without: 'nothing is bought',
    takenOver: 'nothing is lost',
  });
  return { said, ...told };
}

const reply = (message: string) => Object.assign(new Error(message), { name: 'ReplyError' });

describe('what goes wrong between a till and Redis', () => {
  it('is told once for each sort, and that Redis is back', () => {
    const { said, tell, end } = heard();
    tell(new Error('connect ECONNREFUSED 127.0.0.1:6379'));
    tell(new Error('Connection is closed.'));
    end();
    tell(reply('MISCONF Errors writing to the AOF file: No space left on device'));
    expect(said).toEqual([
      'CJE-REDIS-UNREACHABLE Redis does not answer, so nothing is bought',
      'Redis is back',
      'CJE-REDIS-REFUSES Redis answers with an error, so nothing is bought',
    ]);
  });

  it.each(['could not renew lock for job 12', 'Missing lock for job 12. moveToFinished'])(
    'is no loss of Redis where this process said nothing for too long: %s',
    (message) => {
      const { said, tell, end } = heard();
      tell(new Error(message));
      tell(new Error(message.replace('12', '13')));
      end();
      expect(said).toEqual([
        'CJE-CLUSTER-UNHEARD nothing was heard of this process for too long, so what it had in hand may have gone to another',
      ]);
    },
  );
});
