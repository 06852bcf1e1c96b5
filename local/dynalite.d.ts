declare module "dynalite" {
  import type { Server } from "node:http";

  interface DynaliteOptions {
    /** The folder of the LevelDB store; in memory without it. */
    readonly path?: string;
    readonly createTableMs?: number;
    readonly deleteTableMs?: number;
    readonly updateTableMs?: number;
  }

  export default function dynalite(options: DynaliteOptions): Server;
}

declare module "dynalite/db/index.js" {
  export type Item = Readonly<Record<string, unknown>>;

  export interface Table {
    readonly TableName: string;
    readonly GlobalSecondaryIndexes?: readonly object[];
  }

  type Change =
    | { readonly type: "put"; readonly key: string; readonly value: Item }
    | { readonly type: "del"; readonly key: string };

  interface Store {
    /** The LevelDB that holds everything. */
    readonly db: { batch(changes: readonly Change[], done: (error?: unknown) => void): void };
  }

  interface IndexActions {
    readonly puts: readonly { readonly index: string; readonly key: string; readonly item: Item }[];
    readonly deletes: readonly { readonly index: string; readonly key: string }[];
  }

  /** What dynalite's actions call; each looks it up here when it does. */
  const db: {
    updateIndexes(
      store: Store,
      table: Table,
      existingItem: Item | null | undefined,
      item: Item | null | undefined,
      done: (error?: unknown) => void,
    ): void;
    getIndexActions(
      indexes: readonly object[],
      existingItem: Item | null | undefined,
      item: Item | null | undefined,
      table: Table,
    ): IndexActions;
    createKey(item: Item, table: Table): string;
  };
  export default db;
}
