/** What `cje init` needs beyond the shipped experiment; loaded when it is asked for. */

export { findData } from '../datasets/import/found-data.ts';
export { ablationsFor, importPipeline } from './import-pipeline.ts';
export { ownFiles } from './own-experiment.ts';
export { ownExperiment } from './own-options.ts';
