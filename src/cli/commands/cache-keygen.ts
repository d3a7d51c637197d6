/** `cje cache keygen`: a key to sign what this machine gives to a shared cache. */

import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { Command, Option } from 'clipanion';
import { EXIT, type ExitCode, ProblemError } from '../../core/problem.ts';
import { CATEGORY } from '../cache/command.ts';
import { PipelineCommand } from '../pipeline-command.ts';

export class CacheKeygenCommand extends PipelineCommand {
  static override paths = [['cache', 'keygen']];
  static override usage = Command.Usage({
    category: CATEGORY,
    description: 'make the key that signs what this machine gives to a shared cache',
    details: `
      Writes the private key where cje.remote.yaml's \`sign_with\` says, or into ~/.config/cje/signing-key.pem, for its owner's
      eyes alone, and prints the public key: list that under \`trusted\` on every machine that is to believe this one. Where
      there is a key already, it stays, and its public half is printed.
    `,
    examples: [['A key for CI, to be kept as its secret CJE_SIGNING_KEY', 'cje cache keygen -o ci-key.pem']],
  });

  output = Option.String('-o,--output', { description: 'the file of the private key' });

  async run(): Promise<ExitCode> {
    const [{ newSigningKey, readSigningKey }, { keyFile }, { readRemoteSettings }] = await Promise.all([
      import('../../remote/signing.ts'),
      import('../../team/open-remote.ts'),
      import('../../team/remote-settings.ts'),
    ]);
    const found = this.output === undefined ? await readRemoteSettings(dirname(resolve(this.file))) : undefined;
    const file = this.output === undefined ? keyFile(found?.settings.remote, found?.path ?? '') : resolve(this.output);
    const made = !existsSync(file);
    if (made) {
      mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
      writeFileSync(file, newSigningKey().text, { mode: 0o600, flag: 'wx' });
    }
    const key = readSigningKey(readFileSync(file, 'utf8'));
    if (key === undefined) {
      throw new ProblemError({
        id: 'CJE-REMOTE-NO-SIGNING-KEY',
        headline: `there is no private key of Ed25519 in ${file}`,
        hint: 'name another file with -o, or move this one aside',
      });
    }
    if (this.json) this.printJson({ type: 'cache-key', version: 1, file, made, public: key.public });
    else this.print(`${made ? 'Made' : 'There is'} a private key in ${file}.\n\n${key.public}\n`);
    return EXIT.built;
  }
}
