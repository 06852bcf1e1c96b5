/**
 * State events: what the platform has decided or become.
 *
 * The fields are conventions that agents share, all optional; other fields may stand beside them.
 */
import type { JsonObject } from "../json.ts";

/** It is settled where the files of a piece of work go. */
export interface FolderStructureDetermined extends JsonObject {
  root?: string;
  folders?: string[];
}

/** The orchestrating agent (Orion) has gone from one state to another. */
export interface OrionStateChanged extends JsonObject {
  from?: string;
  to?: string;
  reason?: string;
}

/** An agent asks for a newer version or a larger plan of itself or another. */
export interface UpgradeRequested extends JsonObject {
  target?: string;
  from_version?: string;
  to_version?: string;
}

/** An upgrade has ended, well or not. */
export interface UpgradeCompleted extends JsonObject {
  target?: string;
  version?: string;
  succeeded?: boolean;
}

export interface StateEventTypes {
  FOLDER_STRUCTURE_DETERMINED: FolderStructureDetermined;
  ORION_STATE_CHANGED: OrionStateChanged;
  UPGRADE_REQUESTED: UpgradeRequested;
  UPGRADE_COMPLETED: UpgradeCompleted;
}
