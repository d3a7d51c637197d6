// One graph for every tool, as large as the shipped pipeline: each task reads its inputs' files and writes one of its own.

/** @typedef {{ name: string, inputs: string[] }} Task */

/** Sixty tasks in the shape of the shipped experiment: a source, five policies, judges, datasets, estimators, a report. */
export function tasks() {
  const policies = ['p0', 'clone', 'cot', 'bigger', 'bad'];
  const scorers = ['plain', 'unsure'];
  const all = [{ name: 'prompts', inputs: [] }];
  const add = (name, inputs) => all.push({ name, inputs });
  for (const policy of policies) add(`responses-${policy}`, ['prompts']);
  for (const policy of policies) add(`logprobs-${policy}`, ['responses-p0']);
  for (const scorer of scorers)
    for (const policy of policies) add(`scores-${scorer}-${policy}`, [`responses-${policy}`]);
  add(
    'oracle',
    policies.map((policy) => `responses-${policy}`),
  );
  add('truth', ['prompts']);
  for (const scorer of scorers) {
    const upstream = policies.flatMap((policy) => [
      `responses-${policy}`,
      `logprobs-${policy}`,
      `scores-${scorer}-${policy}`,
    ]);
    add(`dataset-${scorer}`, [...upstream, 'oracle']);
    for (let estimator = 0; estimator < 17; estimator++) add(`estimate-${scorer}-${estimator}`, [`dataset-${scorer}`]);
  }
  add(
    'report',
    all.filter(({ name }) => name.startsWith('estimate-')).map(({ name }) => name),
  );
  return all;
}
