/** Which version of the code serves, while it is loaded again. */
import type { App } from "./app.ts";

export interface CurrentApp {
  /** Waits for the first one. */
  get(): Promise<App>;
  /** Starts a version in place of the one before it. */
  set(next: App): void;
  /** Ends the repeated work of the one that serves. */
  retire(): void;
}

/** The version of the code that serves now. Calls that come before the first one wait for it. */
export function currentApp(): CurrentApp {
  let current: App | null = null;
  let loaded: (app: App) => void = () => {};
  const first = new Promise<App>((resolve) => {
    loaded = resolve;
  });
  return {
    get: () => (current === null ? first : Promise.resolve(current)),
    set(next) {
      current?.retire();
      current = next;
      next.start();
      loaded(next);
    },
    retire: () => current?.retire(),
  };
}
