/**
 * Where a live stream is: a watermark, and what was delivered beyond it.
 *
 * As a cursor, what was delivered beyond the watermark is not listed: that would grow with the rate. Its positions fall
 * into groups by a hash, and of each group the cursor keeps the highest, their number, and the exclusive or of their
 * fingerprints. Who resumes reads the same stretch again: if number and fingerprints agree, all of it was delivered; if
 * there is one more, the difference names the one that became visible since. Only two or more latecomers in one group
 * leave it open which they are: then the group is delivered again, and nothing is lost.
 */
import { fromBase64Url, toBase64Url } from "./base64url.ts";
import { shardOf } from "./keys.ts";

const GROUPS = 8;

/** 64 bits, in two halves. */
type Fingerprint = readonly [high: number, low: number];

/** What a cursor says of one group. */
interface Digest {
  readonly highest: string;
  readonly count: number;
  readonly mixed: Fingerprint;
}

export class StreamPlace {
  /** Everything up to this position was delivered, or came before the stream. */
  private watermark: string;
  private readonly delivered = new Set<string>();
  private readonly digests = new Map<number, Digest>();

  private constructor(watermark: string) {
    this.watermark = watermark;
  }

  static at(timeMs: number): StreamPlace {
    return new StreamPlace(new Date(timeMs).toISOString());
  }

  /** The place as text that is safe in a URL: about 60 characters when all is settled, and at most about 1,100. */
  toText(): string {
    const groups = [...this.digests].map(([group, { highest, count, mixed }]) => [group, highest, count, ...mixed]);
    return toBase64Url(new TextEncoder().encode(JSON.stringify([this.watermark, ...groups])));
  }

  /**
   * @param text as `toText` wrote it
   * @param readStretch positions after the first and up to the second, in any order
   */
  static async resume(
    text: string,
    readStretch: (after: string, upTo: string) => Promise<readonly string[]>,
  ): Promise<StreamPlace> {
    const [watermark, ...groups] = JSON.parse(new TextDecoder().decode(fromBase64Url(text))) as [
      string,
      ...[number, string, number, number, number][],
    ];
    const place = new StreamPlace(watermark);
    const upTo = groups
      .map(([, highest]) => highest)
      .sort()
      .at(-1);
    if (upTo === undefined) return place;
    const stretch = await readStretch(watermark, upTo);
    for (const [group, highest, count, high, low] of groups) {
      const inGroup = stretch.filter((position) => groupOf(position) === group && position <= highest);
      for (const position of deliveredOf(inGroup, { highest, count, mixed: [high, low] })) place.remember(position);
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
    for (const position of this.delivered) if (position <= upTo) this.forget(position);
  }

  private remember(position: string): void {
    this.delivered.add(position);
    const { highest, count, mixed } = this.digests.get(groupOf(position)) ?? EMPTY;
    this.digests.set(groupOf(position), {
      highest: position > highest ? position : highest,
      count: count + 1,
      mixed: mix(mixed, fingerprintOf(position)),
    });
  }

  private forget(position: string): void {
    this.delivered.delete(position);
    const group = groupOf(position);
    const { highest, count, mixed } = this.digests.get(group) ?? EMPTY;
    if (count <= 1) this.digests.delete(group);
    else this.digests.set(group, { highest, count: count - 1, mixed: mix(mixed, fingerprintOf(position)) });
  }
}

const EMPTY: Digest = { highest: "", count: 0, mixed: [0, 0] };

/** Which positions of a group were delivered, as far as its digest tells; none when it does not. */
function deliveredOf(positions: readonly string[], { count, mixed }: Digest): readonly string[] {
  const difference = positions.map(fingerprintOf).reduce(mix, mixed);
  if (positions.length === count && isZero(difference)) return positions;
  if (positions.length !== count + 1) return [];
  const rest = positions.filter((position) => !isZero(mix(fingerprintOf(position), difference)));
  return rest.length === count ? rest : [];
}

const groupOf = (position: string): number => shardOf(position, GROUPS);

/** The last 64 bits of the event's id, nearly all of them random or hashed. */
function fingerprintOf(position: string): Fingerprint {
  const hex = position.replaceAll("-", "").slice(-16);
  return [Number.parseInt(hex.slice(0, 8), 16), Number.parseInt(hex.slice(8), 16)];
}

const mix = (a: Fingerprint, b: Fingerprint): Fingerprint => [(a[0] ^ b[0]) >>> 0, (a[1] ^ b[1]) >>> 0];

const isZero = ([high, low]: Fingerprint): boolean => high === 0 && low === 0;
