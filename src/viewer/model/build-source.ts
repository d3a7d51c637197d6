/** What the viewer shows, out of the cache and the pipeline's files. Nothing is written, and no lock is taken. */

import type { Submission } from '../../core/batch.ts';
import type { BuildProgress } from '../../core/build-progress.ts';
import type { Graph } from '../../core/graph.ts';
import { ProblemError } from '../../core/problem.ts';
import type { BlobStore, BuildLog, BuildRecord, LockHolder, Store } from '../../core/storage.ts';
import { findBuild } from '../../engine/build-name.ts';
import type { Ports } from '../../engine/ports.ts';
import { nodesNow, nodesOf } from './build-nodes.ts';
import { type Comparison, comparisonOf } from './comparison.ts';
import { type OpenBuild, openBuild } from './open-build.ts';
import { RowTables } from './row-tables.ts';

/** The name of the experiment as its files stand now, beside the ids of recorded builds. */
export const NOW = 'now';

export interface BuildSource {
  readonly experiment: string;
  /** Called before each page: what is open may have been replaced since the last one. */
  refresh(): Promise<void>;
  /** Newest first. */
  builds(): readonly BuildRecord[];
  /** The id that a name (`last~1`, a tag, the beginning of an id, `now`) means; undefined where it means none. */
  resolve(name: string): string | undefined;
  /** What is shown to who asks for nothing in particular. */
  start(): string;
  /** @throws ProblemError where the pipeline's files cannot be read as they are now */
  open(id: string): Promise<OpenBuild | undefined>;
  /** Who builds at the moment. */
  building(): LockHolder | undefined;
  /** How far that build is; undefined where it has not said so. */
  progress(): BuildProgress | undefined;
  /** Why the pipeline's files cannot be read as they are now; what was built is shown all the same. */
  problem(): ProblemError | undefined;
  /** Batches that are out at providers. */
  batches(): readonly Submission[];
  /** @throws ProblemError where outputs of either are gone */
  compare(before: BuildRecord, after: BuildRecord): Promise<Comparison>;
}

/** Builds that stay open: what they were joined from is dear to read again. */
const OPEN = 3;

/** A pipeline as the viewer reads it: its graph, and the store behind it. */
interface ViewedPipeline {
  readonly graph: Graph;
  readonly ports: Ports;
  readonly store: Pick<Store, 'actions' | 'batches' | 'blobs' | 'builds'>;
}

/** Opens the pipeline and follows what changes on the disk. */
export interface PipelineSource {
  /** The pipeline as it could be opened last; with an empty graph where it never could. */
  current(): ViewedPipeline;
  /** Whether the pipeline's files differ from what was read. */
  changed(): boolean;
  /** Reads the pipeline's files again, and closes what was open. @throws ProblemError where they have mistakes */
  reload(): Promise<ViewedPipeline>;
  /** Sees what other commands have written since. */
  refresh(): Promise<void>;
  /** The build that runs now. */
  building(): LockHolder | undefined;
  progress(): BuildProgress | undefined;
  /** The mistakes that were found in the pipeline's files when they were read last. */
  problem(): ProblemError | undefined;
}

/** @param start the build that is shown first; absent: the newest, or what stands now while there is none or one runs. */
export function buildSource(pipelines: PipelineSource, start: string | undefined): BuildSource {
  const store = (): ViewedPipeline['store'] => pipelines.current().store;
  const opened = new OpenedBuilds(pipelines);
  return {
    get experiment() {
      const [newest] = pipelines.problem() === undefined ? [] : store().builds.list(1);
      return newest?.experiment ?? pipelines.current().graph.name;
    },
    builds: () => [...store().builds.list()],
    resolve: (name) => (name === NOW ? NOW : idOf(name, store().builds)),
    start() {
      if (start !== undefined) return start;
      const [newest] = store().builds.list(1);
      return newest === undefined || pipelines.building() !== undefined ? NOW : newest.id;
    },
    async refresh() {
      await pipelines.refresh();
      // Whether the mistake is mended.
      if (pipelines.problem() !== undefined) await pipelines.reload().catch(ignoreProblem);
    },
    open: (id) => (id === NOW ? opened.now() : opened.past(id)),
    building: () => pipelines.building(),
    progress: () => pipelines.progress(),
    problem: () => pipelines.problem(),
    batches: () => store().batches.list(),
    compare: async (before, after) => comparisonOf(before, after, pipelines.current().ports),
  };
}

function ignoreProblem(error: unknown): void {
  if (!(error instanceof ProblemError)) throw error;
}

function idOf(name: string, builds: BuildLog): string | undefined {
  try {
    return findBuild(builds, name).id;
  } catch (error) {
    if (error instanceof ProblemError) return undefined;
    throw error;
  }
}

/** What was joined for the last pages serves the next ones. */
class OpenedBuilds {
  readonly #pipelines: PipelineSource;
  readonly #tables: RowTables;
  readonly #past = new Map<string, OpenBuild>();
  #now: { readonly state: string; readonly build: OpenBuild } | undefined;
  #pipeline: ViewedPipeline | undefined;

  constructor(pipelines: PipelineSource) {
    this.#pipelines = pipelines;
    this.#tables = new RowTables(currentBlobs(() => pipelines.current().store.blobs));
  }

  async now(): Promise<OpenBuild> {
    if (this.#pipelines.changed()) await this.#pipelines.reload();
    const pipeline = this.#current();
    const nodes = await nodesNow(pipeline.graph, pipeline.ports);
    const state = JSON.stringify(
      nodes.map(({ name, state: how, action }) => [name, how, action?.key, action?.outputs]),
    );
    if (this.#now?.state === state) return this.#now.build;
    this.#now = { state, build: openBuild(NOW, undefined, nodes, this.#tables, pipeline.ports) };
    return this.#now.build;
  }

  /** What is open reads from a store that is closed when the pipeline is opened again. */
  #current(): ViewedPipeline {
    const pipeline = this.#pipelines.current();
    if (pipeline !== this.#pipeline) {
      this.#past.clear();
      this.#now = undefined;
      this.#pipeline = pipeline;
    }
    return pipeline;
  }

  async past(id: string): Promise<OpenBuild | undefined> {
    const { graph, ports, store } = this.#current();
    const known = this.#past.get(id);
    if (known !== undefined) return known;
    const record = store.builds.get(id);
    if (record === undefined) return undefined;
    const build = openBuild(id, record, nodesOf(record, graph, ports), this.#tables, ports);
    if (this.#past.size >= OPEN) this.#past.delete(this.#past.keys().next().value!);
    this.#past.set(id, build);
    return build;
  }
}

/** The blobs of a store that may be another one tomorrow: the pipeline is opened again when its files change. */
const currentBlobs = (blobs: () => BlobStore): BlobStore => ({
  writer: () => blobs().writer(),
  put: (content) => blobs().put(content),
  locate: (ref) => blobs().locate(ref),
  read: (ref) => blobs().read(ref),
  rows: (ref) => blobs().rows(ref),
  chunks: (ref) => blobs().chunks(ref),
  setAside: (ref) => blobs().setAside(ref),
});
