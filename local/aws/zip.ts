/** Folders as zip archives, the form in which Lambda takes code. */
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { crc32, deflateRawSync } from "node:zlib";

/** 1980-01-01, the earliest date of the format: the same files give the same archive. */
const DOS_DATE = 0x21;
const DEFLATED = 8;
const VERSION = 20;
/** The name is UTF-8. */
const FLAGS = 0x0800;

/**
 * An archive of the files below a folder, of up to 4 GB and 65,535 files, as
 * https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT describes it.
 */
export async function zipFolder(folder: string): Promise<Buffer> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const files: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const path of paths.sort()) {
    const name = Buffer.from(path.slice(folder.length + 1).replaceAll("\\", "/"));
    const content = await readFile(path);
    const deflated = deflateRawSync(content);
    const common = commonFields(content, deflated, name);
    const header = Buffer.concat([uint32(0x04034b50), common, name]);
    // Made on Unix, and readable by everybody: Lambda runs the code as another user.
    const attributes = [uint16(0), uint16(0), uint16(0), uint32((0o100644 << 16) >>> 0), uint32(offset)];
    directory.push(Buffer.concat([uint32(0x02014b50), uint16((3 << 8) | VERSION), common, ...attributes, name]));
    files.push(header, deflated);
    offset += header.length + deflated.length;
  }
  const index = Buffer.concat(directory);
  const count = uint16(directory.length);
  const end = [uint32(0x06054b50), uint16(0), uint16(0), count, count, uint32(index.length), uint32(offset), uint16(0)];
  return Buffer.concat([...files, index, ...end]);
}

function commonFields(content: Buffer, deflated: Buffer, name: Buffer): Buffer {
  return Buffer.concat([
    uint16(VERSION),
    uint16(FLAGS),
    uint16(DEFLATED),
    uint16(0),
    uint16(DOS_DATE),
    uint32(crc32(content)),
    uint32(deflated.length),
    uint32(content.length),
    uint16(name.length),
    uint16(0),
  ]);
}

function uint16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16LE(value);
  return bytes;
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}
