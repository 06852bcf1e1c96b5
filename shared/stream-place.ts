/**
 * Where a live stream is: a watermark, and what was delivered beyond it.
 *
 * A cursor does not list all of that: it would grow with the rate. It lists the newest, among which latecomers appear,
 * and of those before them keeps a digest for each quarter of a second: their number, and the exclusive or of their
 * fingerprints. Who resumes reads the same stretch again: if number and fingerprints agree, all of a slice was delivered;
 * if there is one more, the difference names the one that became visible since. Two or more latecomers in one of these
 * older slices leave it open which they are, as does an index that shows less than it did: then that slice is delivered
 * again, and nothing is lost.
 */
import { fromBase64Url, textFromBase64Url, textToBase64Url, toBase64Url } from "./base64url.ts";

/** How many of the newest a cursor lists: 8 bytes each. */
const LISTED = 128;
/** The stretch that one digest stands for: what is delivered again when it does not tell. */
const SLICE_MS = 250;

/** 64 bits, in two halves. */
type Fingerprint = readonly [high: number, low: number];

/** What a cursor says of one slice. */
interface Digest {
  readonly count: number;
  readonly mixed: Fingerprint;
}

/** Bytes of a slice's digest: its distance from the watermark, the number, the fingerprints. */
const DIGEST_BYTES = 1 + 4 + 8;
const FINGERPRINT_BYTES = 8;

export class StreamPlace {
  /** Everything up to this position was delivered, or came before the stream. */
  private watermark: string;
  private readonly delivered = new Map<string, Fingerprint>();
  /** The highest of the delivered, in order. */
  private readonly newest: string[] = [];
  /** Of all the others, by slice of time. */
  private readonly digests = new Map<number, Digest>();

  private constructor(watermark: string) {
    this.watermark = watermark;
  }

  static at(timeMs: number): StreamPlace {
    return new StreamPlace(new Date(timeMs).toISOString());
  }

  /** The place as text that is safe in a URL: about 60 characters when all is settled, and at most about 2,500. */
  toText(): string {
    const head = [this.watermark, this.newest[0] ?? "", this.newest.at(-1) ?? "", this.digests.size];
    const bytes = new Uint8Array(this.digests.size * DIGEST_BYTES + this.newest.length * FINGERPRINT_BYTES);
    const view = new DataView(bytes.buffer);
    let at = 0;
    for (const [slice, { count, mixed }] of this.digests) {
      view.setUint8(at, Math.min(255, Math.max(0, slice - sliceOf(this.watermark))));
      view.setUint32(at + 1, count);
      writeFingerprint(view, at + 5, mixed);
      at += DIGEST_BYTES;
    }
    for (const position of this.newest) {
      writeFingerprint(view, at, this.delivered.get(position) ?? fingerprintOf(position));
      at += FINGERPRINT_BYTES;
    }
    return `${textToBase64Url(JSON.stringify(head))}~${toBase64Url(bytes)}`;
  }

  /**
   * @param text as `toText` wrote it
   * @param readStretch positions after the first and up to the second, in any order
   */
  static async resume(
    text: string,
    readStretch: (after: string, upTo: string) => Promise<readonly string[]>,
  ): Promise<StreamPlace> {
    const { watermark, listedFrom, listedTo, digests, listed } = parse(text);
    const place = new StreamPlace(watermark);
    if (listedTo === "") return place;
    const stretch = [...(await readStretch(watermark, listedTo))].sort();
    for (const position of stretch)
      if (position >= listedFrom && listed.has(textOf(position))) place.remember(position);
    for (const [slice, digest] of digests) {
      const inSlice = stretch.filter((position) => position < listedFrom && sliceOf(position) === slice);
      for (const position of deliveredOf(inSlice, digest)) place.remember(position);
    }
    return place;
  }

  get start(): string {
    return this.watermark;
  }

  has(position: string): boolean {
    return this.delivered.has(position);
  }

  /** Takes note of a delivery; positions come in order within a sweep. */
  add(position: string, settledUpTo: string): void {
    if (position < settledUpTo) this.settle(position);
    else if (!this.has(position)) this.remember(position);
  }

  /** Nothing new can appear up to a position any more. */
  settle(upTo: string): void {
    if (upTo <= this.watermark) return;
    this.watermark = upTo;
    for (const position of this.delivered.keys()) if (position <= upTo) this.forget(position);
  }

  private remember(position: string): void {
    this.delivered.set(position, fingerprintOf(position));
    let place = this.newest.length;
    while (place > 0 && (this.newest[place - 1] as string) > position) place--;
    this.newest.splice(place, 0, position);
    if (this.newest.length > LISTED) this.digest(this.newest.shift() as string, 1);
  }

  private forget(position: string): void {
    this.delivered.delete(position);
    const place = this.newest.indexOf(position);
    if (place >= 0) this.newest.splice(place, 1);
    else this.digest(position, -1);
  }

  private digest(position: string, change: 1 | -1): void {
    const slice = sliceOf(position);
    const { count, mixed } = this.digests.get(slice) ?? { count: 0, mixed: [0, 0] };
    if (count + change === 0) this.digests.delete(slice);
    else this.digests.set(slice, { count: count + change, mixed: mix(mixed, fingerprintOf(position)) });
  }
}

interface Parsed {
  readonly watermark: string;
  /** The lowest and the highest of the listed. */
  readonly listedFrom: string;
  readonly listedTo: string;
  readonly digests: ReadonlyMap<number, Digest>;
  readonly listed: ReadonlySet<string>;
}

function parse(text: string): Parsed {
  const [head = "", packed = ""] = text.split("~");
  const [watermark, listedFrom, listedTo, slices] = JSON.parse(textFromBase64Url(head)) as [
    string,
    string,
    string,
    number,
  ];
  const bytes = fromBase64Url(packed);
  const view = new DataView(bytes.buffer);
  const digests = new Map<number, Digest>();
  const listed = new Set<string>();
  let at = 0;
  for (; at < slices * DIGEST_BYTES; at += DIGEST_BYTES)
    digests.set(sliceOf(watermark) + view.getUint8(at), {
      count: view.getUint32(at + 1),
      mixed: readFingerprint(view, at + 5),
    });
  for (; at < bytes.length; at += FINGERPRINT_BYTES) listed.add(readFingerprint(view, at).join());
  return { watermark, listedFrom, listedTo, digests, listed };
}

/** Which positions of a slice were delivered, as far as its digest tells; none when it does not. */
function deliveredOf(positions: readonly string[], { count, mixed }: Digest): readonly string[] {
  const difference = positions.map(fingerprintOf).reduce(mix, mixed);
  if (positions.length === count && isZero(difference)) return positions;
  if (positions.length !== count + 1) return [];
  const rest = positions.filter((position) => !isZero(mix(fingerprintOf(position), difference)));
  return rest.length === count ? rest : [];
}

const sliceOf = (position: string): number => Math.floor(Date.parse(position.slice(0, 24)) / SLICE_MS);

/** The last 64 bits of the event's id, nearly all of them random or hashed. */
function fingerprintOf(position: string): Fingerprint {
  const hex = position.replaceAll("-", "").slice(-16);
  return [Number.parseInt(hex.slice(0, 8), 16), Number.parseInt(hex.slice(8), 16)];
}

const textOf = (position: string): string => fingerprintOf(position).join();

const mix = (a: Fingerprint, b: Fingerprint): Fingerprint => [(a[0] ^ b[0]) >>> 0, (a[1] ^ b[1]) >>> 0];

const isZero = ([high, low]: Fingerprint): boolean => high === 0 && low === 0;

function writeFingerprint(view: DataView, at: number, [high, low]: Fingerprint): void {
  view.setUint32(at, high);
  view.setUint32(at + 4, low);
}

function readFingerprint(view: DataView, at: number): Fingerprint {
  return [view.getUint32(at), view.getUint32(at + 4)];
}
