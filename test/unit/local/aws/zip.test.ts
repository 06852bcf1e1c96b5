import { execFile } from "node:child_process";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { inflateRawSync } from "node:zlib";
import { afterEach, expect, test } from "vitest";
import { zipFolder } from "../../../../local/aws/zip.ts";

const folders: string[] = [];

afterEach(async () => {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true });
});

async function folderOf(files: Readonly<Record<string, string>>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "agent-event-bus-zip-"));
  folders.push(folder);
  for (const [path, content] of Object.entries(files)) {
    await mkdir(join(folder, path, ".."), { recursive: true });
    await writeFile(join(folder, path), content);
  }
  return folder;
}

/** The files of an archive, found as a reader finds them: from the directory at its end. */
function unzip(archive: Buffer): Record<string, string> {
  const end = archive.lastIndexOf(Buffer.from("PK\x05\x06"));
  const files: Record<string, string> = {};
  let at = archive.readUInt32LE(end + 16);
  for (let left = archive.readUInt16LE(end + 10); left > 0; left--) {
    const nameBytes = archive.readUInt16LE(at + 28);
    const start = archive.readUInt32LE(at + 42);
    const data = start + 30 + archive.readUInt16LE(start + 26) + archive.readUInt16LE(start + 28);
    const content = inflateRawSync(archive.subarray(data, data + archive.readUInt32LE(at + 20)));
    files[archive.toString("utf8", at + 46, at + 46 + nameBytes)] = content.toString();
    at += 46 + nameBytes;
  }
  return files;
}

const FILES = { "index.js": "exports.handler = 1;\n".repeat(100), "deep/er/ä.txt": "ü", "empty.txt": "" };

test("an archive holds every file below the folder, by its path", async () => {
  expect(unzip(await zipFolder(await folderOf(FILES)))).toEqual(FILES);
});

test("the same files give the same archive, byte for byte", async () => {
  expect(await zipFolder(await folderOf(FILES))).toEqual(await zipFolder(await folderOf(FILES)));
});

test("another program finds nothing wrong with it", async ({ skip }) => {
  const run = promisify(execFile);
  if (
    !(await run("python3", ["--version"]).then(
      () => true,
      () => false,
    ))
  )
    skip("python3 is not there");
  const archive = join(await folderOf({}), "code.zip");
  await writeFile(archive, await zipFolder(await folderOf(FILES)));
  // Fails on a wrong checksum.
  const { stdout } = await run("python3", ["-m", "zipfile", "-t", archive]);
  expect(stdout).toContain("Done testing");
});
