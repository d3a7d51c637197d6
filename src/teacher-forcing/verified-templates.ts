/**
 * Templates whose rendering here is known to be that of the reference engine: by the SHA-256 of their text, with
 * renderings in `test/fixtures/chat-templates`. That of Llama 4 is the one which the reference library's conversion of the
 * weights writes beside them; its text is not kept here, and its renderings are those that `template: llama4` is held to.
 */

import { createHash } from 'node:crypto';

const FAMILIES: Readonly<Record<string, string>> = {
  b48c47f6443892716176eb200bf4ef108f64e06ca26ed0fa8ebc0a4b3992fcb2: 'Llama 3',
  '93c0e9aa3629bbd77e68dbc0f5621f6e6b23aa8d74b932595cdb8d64684526d7': 'Llama 3.1',
  '9bcc2b35f15730186459ff95c30804d7b97eeb97360b71b432f5564aab789f04': 'Llama 4',
  d82792f95932f1c9cef5c4bd992f171225e3bf8c7b609b4557c9e1ec96be819f: 'Llama 3.2',
  '55b2f4a26ac9ee719330a61a0c39d9e538b0e9322212f048326318cff4f8674a': 'Qwen 2.5',
  '87a2728cb8dc9fe424d624542f6060ec05a1d285ebbec578bb078900e33396b5': 'Qwen 3',
  '8d9e3a3c114fb2053ec500184677af4f7e5f8ec2582443cd535834e68b3ade29': 'Gemma 3',
  '1d35a24a2a63cc600c0cab43628a6df4cd3318e959b03307cf5f9f7e29ecf783': 'Gemma 4',
  e7deee034838db2bfc7487788a3013d8a307ab69f72f3c54a85f06fd76007d4e: 'Mistral Nemo',
  '3b8267e54b67df6500f231ffa969955cc9d26b3444a291ced4eb96ca7d3ca1ea': 'DeepSeek V3',
  a4c9919cbbd4acdd51ccffe22da049264b1b73e59055fa58811a99efbd7c8146: 'gpt-oss',
};

/** The family that a template is of; undefined for one that was not compared. The newline that ends a file is no part of it. */
export const verifiedFamily = (source: string): string | undefined =>
  FAMILIES[createHash('sha256').update(source.replace(/\n$/, '')).digest('hex')];
