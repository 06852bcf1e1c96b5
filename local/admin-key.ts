/** The administrator's first key, in a file of the data folder that only its owner may read. */
import { readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

export interface AdministratorKey {
  readonly path: string;
  /** `lost`: nothing lets the agent in, and it is not for a run to change that. */
  readonly state: "good" | "not_valid" | "lost";
}

export interface KeyIssuer {
  /** Whether a key lets somebody in. */
  isValid(key: string): Promise<boolean>;
  /** A new one for the administrator; null when that agent is no administrator any more. */
  issue(): Promise<string | null>;
}

/** Keeps the key that is there. Where there is no file a new key is made: who lost it removes what is left, and starts anew. */
export async function keepAdministratorKey(dataDir: string, issuer: KeyIssuer): Promise<AdministratorKey> {
  const path = join(dataDir, "admin-key");
  const kept = await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return null;
    throw error;
  });
  if (kept !== null) return { path, state: (await issuer.isValid(kept.trim())) ? "good" : "not_valid" };
  const key = await issuer.issue();
  if (key === null) return { path, state: "lost" };
  await rm(`${path}.new`, { force: true });
  // Renamed into place, so that a kill leaves no half a key.
  await writeFile(`${path}.new`, `${key}\n`, { mode: 0o600 });
  await rename(`${path}.new`, path);
  return { path, state: "good" };
}
