/** What an operation is for those who try it at every point at which a process can die. */
import type { DyingProcess } from "../dying-process.ts";
import type { Stage } from "../stage.ts";

export type Process = Pick<DyingProcess, "deps" | "isDead">;

/** Does it once, in a process that may die. @returns whether whoever does it knows now that it is done */
export type Try = (process: Process) => Promise<boolean>;

export interface OperationUnderTest {
  readonly name: string;
  /** Sets the stage, in a process that lasts. */
  prepare(stage: Stage): Promise<Try>;
  /** What is not as it should be once it is done and all is quiet, beside the invariants: in sentences. */
  readonly check?: (stage: Stage) => Promise<string[]>;
}

/** An event type without deployed subscribers. */
export const TYPE = "UPGRADE_REQUESTED";

export const untilItSucceeds =
  (act: (process: Process) => Promise<void>): Try =>
  (process) =>
    act(process).then(
      () => !process.isDead,
      (error: unknown) => {
        if (!process.isDead) throw error;
        return false;
      },
    );
