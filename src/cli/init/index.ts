/** What `cje init --from import` needs; loaded by it alone. */

export { findData } from '../../datasets/import/found-data.ts';
export { ablationsFor, importPipeline } from './pipeline-text.ts';
